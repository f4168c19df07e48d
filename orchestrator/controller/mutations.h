// The decisions: each mutation checks, changes the ledger, and says what happened. No change is
// made before every check has passed. One thread at a time.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "orchestrator/controller/admission.h"
#include "orchestrator/controller/host_book.h"
#include "orchestrator/controller/ledger.h"
#include "orchestrator/controller/requests.h"

namespace stellwerk::controller {

class Mutations {
 public:
  Mutations(Ledger& ledger, HostBook& book) : ledger_(ledger), book_(book) {}

  // Decides one mutation and leaves its audit entry. A repeated request gets its first answer.
  absl::StatusOr<Answer> decide(const Mutation& mutation, Now now);

  // Decisions that no caller asked for.
  // A guest ended for good: its instance becomes desired-stopped.
  void accept_end(const Instance& instance, FinalEnd end, Now now);
  // Domain, disk and port are gone: so is the record.
  void finish_deletion(const Instance& instance, Now now);
  // A network in deletion whose bridges are gone from every host goes, too.
  void forget_network_if_gone(const NetworkUid& uid, Now now);
  // The image's files are gone.
  void forget_image(const ImageUid& uid, Now now);
  // An event about an image that nobody asked for.
  void report_image(const ImageUid& uid, std::string type, std::string message, Now now);
  // About files that no record knows.
  void report_image_files(const ImageUid& uid, std::string type, std::string message, Now now);
  // An import broke off; its files are to be deleted.
  void abandon_import(Image image, std::string why, Now now);
  // The daemon has fetched an image from its source, or has given that up.
  void finish_fetch(const ImageUid& uid, const absl::StatusOr<ImportedContent>& content, Now now);
  // Images that are to be fetched from their sources, once that is durable.
  std::vector<ImageUid> take_wanted_fetches() { return std::exchange(wanted_fetches_, {}); }
  // Images that are now in deletion, or have failed: their files go once that is durable.
  std::vector<ImageUid> take_abandoned_images() { return std::exchange(abandoned_images_, {}); }

 private:
  struct Frame;  // one mutation under way: context, time, scope

  absl::Status find_scope(Frame& frame, const MutationBody& body) const;
  absl::StatusOr<Answer> carry_out(const Frame& frame, const MutationBody& body);
  absl::StatusOr<Answer> apply(const Frame& frame, const CreateInstance& create);
  absl::StatusOr<Answer> apply(const Frame& frame, const CreateInstances& create);
  absl::StatusOr<Answer> apply(const Frame& frame, const StartInstance& start);
  absl::StatusOr<Answer> apply(const Frame& frame, const StopInstance& stop);
  absl::StatusOr<Answer> apply(const Frame& frame, const RebootInstance& reboot);
  absl::StatusOr<Answer> apply(const Frame& frame, const ResetInstance& reset);
  absl::StatusOr<Answer> apply(const Frame& frame, const UpdateInstance& update);
  absl::StatusOr<Answer> apply(const Frame& frame, const RenameInstance& rename);
  absl::StatusOr<Answer> apply(const Frame& frame, const ResizeInstance& resize);
  absl::StatusOr<Answer> apply(const Frame& frame, const DeleteInstance& deletion);
  absl::StatusOr<Answer> apply(const Frame& frame, const BeginImageImport& begin);
  absl::StatusOr<Answer> apply(const Frame& frame, const ImportImageFromUrl& import);
  absl::StatusOr<Answer> apply(const Frame& frame, const FinishImageImport& finish);
  absl::StatusOr<Answer> apply(const Frame& frame, const UpdateImage& update);
  absl::StatusOr<Answer> apply(const Frame& frame, const DeleteImage& deletion);
  absl::StatusOr<Answer> apply(const Frame& frame, const CreateFlavor& create);
  absl::StatusOr<Answer> apply(const Frame& frame, const DeleteFlavor& deletion);
  absl::StatusOr<Answer> apply(const Frame& frame, const CreateNetwork& create);
  absl::StatusOr<Answer> apply(const Frame& frame, const DeleteNetwork& deletion);
  absl::StatusOr<Answer> apply(const Frame& frame, const CreateProject& create);
  absl::StatusOr<Answer> apply(const Frame& frame, const UpdateProject& update);
  absl::StatusOr<Answer> apply(const Frame& frame, const DeleteProject& deletion);
  absl::StatusOr<Answer> apply(const Frame& frame, const CreateSite& create);
  absl::StatusOr<Answer> apply(const Frame& frame, const DeleteSite& deletion);
  absl::StatusOr<Answer> apply(const Frame& frame, const CreateZone& create);
  absl::StatusOr<Answer> apply(const Frame& frame, const DeleteZone& deletion);
  absl::StatusOr<Answer> apply(const Frame& frame, const CreateFeed& create);
  absl::StatusOr<Answer> apply(const Frame& frame, const UpdateFeed& update);
  absl::StatusOr<Answer> apply(const Frame& frame, const DeleteFeed& deletion);
  absl::StatusOr<Answer> apply(const Frame& frame, const CreateRack& create);
  absl::StatusOr<Answer> apply(const Frame& frame, const UpdateRack& update);
  absl::StatusOr<Answer> apply(const Frame& frame, const DeleteRack& deletion);
  absl::StatusOr<Answer> apply(const Frame& frame, const UpdateHost& update);
  absl::StatusOr<Answer> apply(const Frame& frame, const CreateGroup& create);
  absl::StatusOr<Answer> apply(const Frame& frame, const DeleteGroup& deletion);

  absl::Status check_quota(const ProjectUid& project, const ProjectUse& added) const;
  struct Named {
    std::string id;
    InstanceUid uid;
  };
  // All of them or none.
  absl::StatusOr<std::vector<InstanceView>> book(const Frame& frame, const CreateInstance& create,
                                                 const Sizing& sizing,
                                                 const std::vector<Named>& named);
  void put_booked(const Frame& frame, const CreateInstance& create, Instance instance);
  InstancesView view_of_booking(const Frame& frame, const records::Booking& booking) const;
  // Only before anything could have read it.
  absl::Status change_user_data(Instance& instance, const std::string& user_data);
  // The instance, if it exists and the etag holds; it may be in deletion.
  absl::StatusOr<Instance> changeable(const Frame& frame, const std::string& project,
                                      const std::string& id) const;
  Answer put_changed(const Frame& frame, Instance instance, std::string type, std::string message);
  absl::Status take_image_name(const std::string& project, const std::string& id);
  absl::Status check_image_fits(const Image& image, const ImportedContent& content) const;
  void activate(Image image, const ImportedContent& content, Now now);
  void report_failed_import(const Image& image, std::string why, Now now);
  void delete_files(Image image);
  // `event` without its time, which is now, and its caller, who is the mutation's under way.
  void record_event(Now now, Event event);
  // Keeps the answer for a repetition of the request.
  void remember(const Frame& frame, const Answer& answer);
  // What the same request was answered before; nothing if it is new.
  absl::StatusOr<std::optional<Answer>> repeated(const Frame& frame,
                                                 const MutationBody& body) const;
  // Whether a well-formed mutation may change what it found under that name.
  template <class Resource>
  static absl::Status check_existing(const Frame& frame, const std::string& name,
                                     const Resource* found);
  static absl::Status check_etag(const Frame& frame, const std::string& resource,
                                 const std::string& current);

  Ledger& ledger_;
  HostBook& book_;
  std::string caller_;  // of the mutation under way; empty: none is
  std::vector<ImageUid> abandoned_images_;
  std::vector<ImageUid> wanted_fetches_;
  // Request ids whose imports have begun and not ended; an import does not outlive the process.
  std::map<RequestKey, ImageUid> imports_under_way_;
};

}  // namespace stellwerk::controller
