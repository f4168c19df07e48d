#include "orchestrator/controller/queries.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "core/overloaded.h"
#include "core/resource_names.h"
#include "core/validate.h"
#include "orchestrator/controller/explain_placement.h"
#include "orchestrator/controller/views.h"

namespace stellwerk::controller {
namespace {

constexpr std::string_view kAllProjects = "-";

size_t page_size(const PageRequest& page) {
  return static_cast<size_t>(std::clamp<int64_t>(page.size, 1, kLargestPage));
}

// One page of a map from name to uid, in order, from the name after `after` on. Ids have at least
// one character, so every name comes after an empty one.
template <class Item, class Uid, class Index, class Key, class Token, class View>
Page<Item> page_of(const Index& index, size_t size, const Key& after,
                   const std::function<bool(const Key&, const Uid&)>& wanted, Token token,
                   View view) {
  Page<Item> page;
  // The next page begins after an item that the caller has seen: what lies between may be others'.
  const Key* last = nullptr;
  for (auto at = index.upper_bound(after); at != index.end(); ++at) {
    if (!wanted(at->first, at->second)) continue;
    if (page.items.size() == size) {
      page.next_token = token(*last);
      return page;
    }
    page.items.push_back(view(at->second));
    last = &at->first;
  }
  return page;
}

class Reader {
 public:
  Reader(const Sights& sights, MonotonicTime now)
      : ledger_(sights.ledger),
        book_(sights.book),
        imports_(sights.imports),
        engine_(sights.engine),
        now_(now) {}

  absl::StatusOr<Answer> operator()(const GetInstance& get) const {
    const Instance* found = this->found(get);
    if (!found) return missing(instance_name(get.project, get.id));
    InstanceView view = view_of(*found, ledger_, book_, now_);
    view.timeline = ledger_.state().timelines.of(found->uid);
    return view;
  }
  absl::StatusOr<Answer> operator()(const GetImage& get) const {
    const Image* found = ledger_.image(get.project, get.id);
    if (!found) return missing(image_name(get.project, get.id));
    return view_of(*found, ledger_, imports_);
  }
  absl::StatusOr<Answer> operator()(const GetNetwork& get) const {
    const Network* found = ledger_.visible_network(get.project, get.id);
    if (!found || !ledger_.project(get.project)) return missing(network_name(get.project, get.id));
    return view_of(*found, get.project, ledger_);
  }
  absl::StatusOr<Answer> operator()(const GetFlavor& get) const {
    const Flavor* found = ledger_.flavor(get.id);
    if (!found) return missing(flavor_name(get.id));
    return *found;
  }
  absl::StatusOr<Answer> operator()(const GetProject& get) const {
    const Project* found = ledger_.project(get.id);
    if (!found) return missing(project_name(get.id));
    return view_of(*found, ledger_);
  }
  absl::StatusOr<Answer> operator()(const GetHost& get) const {
    const auto found = ledger_.host_names().find(get.id);
    if (found == ledger_.host_names().end()) return missing(host_name(get.id));
    return view_of(ledger_.state().hosts.at(found->second), ledger_, book_);
  }

  absl::StatusOr<Answer> operator()(const GetSite& get) const {
    const Site* found = ledger_.site(get.id);
    if (!found) return missing(site_name(get.id));
    return view_of(*found, ledger_);
  }
  absl::StatusOr<Answer> operator()(const GetZone& get) const {
    const Zone* found = ledger_.zone(get.id);
    if (!found) return missing(zone_name(get.id));
    return view_of(*found, ledger_);
  }
  absl::StatusOr<Answer> operator()(const GetFeed& get) const {
    const Feed* found = ledger_.feed(get.id);
    if (!found) return missing(feed_name(get.id));
    return view_of(*found, ledger_);
  }
  absl::StatusOr<Answer> operator()(const GetRack& get) const {
    const Rack* found = ledger_.rack(get.id);
    if (!found) return missing(rack_name(get.id));
    return view_of(*found, ledger_);
  }
  absl::StatusOr<Answer> operator()(const GetGroup& get) const {
    const Group* found = ledger_.group(get.project, get.id);
    if (!found) return missing(group_name(get.project, get.id));
    GroupView view = view_of(*found, ledger_);
    view.members = members_of(*found, ledger_);
    return view;
  }

  absl::StatusOr<Answer> operator()(const ListInstances& list) const {
    return project_page<InstanceView>(list, ledger_.instance_names(), [this](const auto& uid) {
      return view_of(ledger_.state().instances.at(uid), ledger_, book_, now_);
    });
  }
  absl::StatusOr<Answer> operator()(const ListImages& list) const {
    const auto view = [this](const auto& uid) {
      return view_of(ledger_.state().images.at(uid), ledger_, imports_);
    };
    if (!list.public_too) return project_page<ImageView>(list, ledger_.image_names(), view);
    return project_page<ImageView>(list, ledger_.image_names(), view, [this](const Name& name) {
      return ledger_.image(name.first, name.second)->is_public;
    });
  }
  // The cell's own come first, under the project that asks; under an empty one where all are asked.
  absl::StatusOr<Answer> operator()(const ListNetworks& list) const {
    const bool all = list.project == kAllProjects;
    return project_page<NetworkView>(
        list, ledger_.network_names(),
        [&](const auto& uid) {
          const Network& network = ledger_.state().networks.at(uid);
          const bool of_cell = network.project.is_nil();
          return view_of(
              network,
              of_cell ? (all ? std::string() : list.project) : ledger_.project_id(network.project),
              ledger_);
        },
        [](const Name& name) { return name.first.empty(); });
  }
  absl::StatusOr<Answer> operator()(const ListFlavors& list) const {
    return cell_page<Flavor>(list, ledger_.flavor_names(),
                             [this](const auto& uid) { return ledger_.state().flavors.at(uid); });
  }
  absl::StatusOr<Answer> operator()(const ListProjects& list) const {
    return cell_page<ProjectView>(list, ledger_.project_names(), [this](const auto& uid) {
      return view_of(ledger_.state().projects.at(uid), ledger_);
    });
  }
  absl::StatusOr<Answer> operator()(const ListHosts& list) const {
    return cell_page<HostView>(list, ledger_.host_names(), [this](const auto& uid) {
      return view_of(ledger_.state().hosts.at(uid), ledger_, book_);
    });
  }

  absl::StatusOr<Answer> operator()(const ListSites& list) const {
    return cell_page<SiteView>(list, ledger_.site_names(), [this](const auto& uid) {
      return view_of(ledger_.state().sites.at(uid), ledger_);
    });
  }
  absl::StatusOr<Answer> operator()(const ListZones& list) const {
    if (!is_place(list.within)) return missing_place(list.within);
    return cell_page<ZoneView>(list, ledger_.zone_names(), [this](const auto& uid) {
      return view_of(ledger_.state().zones.at(uid), ledger_);
    });
  }
  absl::StatusOr<Answer> operator()(const ListFeeds& list) const {
    if (!is_place(list.within)) return missing_place(list.within);
    return cell_page<FeedView>(list, ledger_.feed_names(), [this](const auto& uid) {
      return view_of(ledger_.state().feeds.at(uid), ledger_);
    });
  }
  absl::StatusOr<Answer> operator()(const ListRacks& list) const {
    if (!is_place(list.within)) return missing_place(list.within);
    return cell_page<RackView>(list, ledger_.rack_names(), [this](const auto& uid) {
      return view_of(ledger_.state().racks.at(uid), ledger_);
    });
  }
  absl::StatusOr<Answer> operator()(const ListGroups& list) const {
    return project_page<GroupView>(list, ledger_.group_names(), [this](const auto& uid) {
      return view_of(ledger_.state().groups.at(uid), ledger_);
    });
  }

  absl::StatusOr<Answer> operator()(const ExplainPlacement& asked) const {
    return explain_placement(asked, ledger_, engine_);
  }

  absl::StatusOr<Answer> operator()(const SummarizeCell&) const {
    const CellState& cell = ledger_.state();
    CellSummary summary{.instances = {},
                        .hosts = {},
                        .projects = static_cast<int64_t>(cell.projects.size()),
                        .images = static_cast<int64_t>(cell.images.size()),
                        .log_records = static_cast<int64_t>(cell.log.size()),
                        .unreadable_records = static_cast<int64_t>(cell.invalid.size())};
    for (const auto& [uid, instance] : cell.instances) {
      ++summary.instances[book_.observed(uid, instance.claim.host, now_).phase];
    }
    for (const auto& [id, uid] : ledger_.host_names()) {
      summary.hosts.push_back(view_of(cell.hosts.at(uid), ledger_, book_));
    }
    return summary;
  }

 private:
  const Instance* found(const GetInstance& get) const {
    if (!get.uid) return ledger_.instance(get.project, get.id);
    const auto found = ledger_.state().instances.find(*get.uid);
    return found == ledger_.state().instances.end() ? nullptr : &found->second;
  }
  // `also` lets in what belongs to other projects.
  template <class Item, class List, class Index, class View>
  absl::StatusOr<Answer> project_page(const List& list, const Index& index, View view,
                                      const std::function<bool(const Name&)>& also = {}) const {
    if (list.project != kAllProjects && !ledger_.project(list.project)) {
      return missing(project_name(list.project));
    }
    const size_t slash = list.page.token.find('/');
    if (!list.page.token.empty() && slash == std::string::npos) return bad_token(list.page);
    const Name after =
        list.page.token.empty()
            ? Name(list.project == kAllProjects || also ? "" : list.project, "")
            : Name(list.page.token.substr(0, slash), list.page.token.substr(slash + 1));
    using Uid = typename Index::mapped_type;
    return page_of<Item, Uid, Index, Name>(
        index, page_size(list.page), after,
        [&](const Name& name, const Uid& uid) {
          const bool in_project =
              list.project == kAllProjects || name.first == list.project || (also && also(name));
          return in_project && wanted(list, uid);
        },
        [](const Name& name) { return name.first + "/" + name.second; }, view);
  }

  template <class Item, class List, class Index, class View>
  absl::StatusOr<Answer> cell_page(const List& list, const Index& index, View view) const {
    using Uid = typename Index::mapped_type;
    return page_of<Item, Uid, Index, std::string>(
        index, page_size(list.page), list.page.token,
        [&list](const std::string& id, const Uid&) { return is_within(list, id); },
        [](const std::string& id) { return id; }, view);
  }

  template <class List>
  static bool is_within(const List& list, const std::string& path) {
    if constexpr (requires { list.within; }) {
      return list.within.empty() || path.starts_with(list.within + "/");
    }
    return true;
  }
  // A site, a zone, or everything.
  bool is_place(const std::string& path) const {
    return path.empty() || ledger_.site(path) || ledger_.zone(path);
  }
  static absl::Status missing_place(const std::string& path) {
    return missing(path.find('/') == std::string::npos ? site_name(path) : zone_name(path));
  }

  template <class List, class Uid>
  bool wanted(const List&, const Uid&) const {
    return true;
  }
  bool wanted(const ListInstances& list, const InstanceUid& uid) const {
    const Labels& labels = ledger_.state().instances.at(uid).labels;
    return std::all_of(list.labels.begin(), list.labels.end(), [&labels](const auto& asked) {
      const auto found = labels.find(asked.first);
      return found != labels.end() && found->second == asked.second;
    });
  }

  static absl::Status bad_token(const PageRequest& page) {
    return invalid_fields({{"page_token", "is not a token of this list: " + quoted(page.token)}});
  }

  const Ledger& ledger_;
  const HostBook& book_;
  const ImportsProgress& imports_;
  placement::Engine& engine_;
  const MonotonicTime now_;
};

}  // namespace

absl::StatusOr<Answer> answer_query(const Query& query, const Sights& sights, MonotonicTime now) {
  return std::visit(Reader(sights, now), query);
}

}  // namespace stellwerk::controller
