#include "drivers/network/bridge/link_local.h"

#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>

#include <memory>

namespace stellwerk::network {
namespace {

struct MessageDeleter {
  void operator()(nl_msg* message) const { nlmsg_free(message); }
};

bool fill(nl_msg* message, int index) {
  ifinfomsg body{};
  body.ifi_index = index;
  br_boolopt_multi option{};
  option.optmask = option.optval = 1u << BR_BOOLOPT_NO_LL_LEARN;
  if (nlmsg_append(message, &body, sizeof body, NLMSG_ALIGNTO) < 0) return false;
  nlattr* link = nla_nest_start(message, IFLA_LINKINFO);
  if (link == nullptr || nla_put_string(message, IFLA_INFO_KIND, "bridge") < 0) return false;
  nlattr* data = nla_nest_start(message, IFLA_INFO_DATA);
  if (data == nullptr || nla_put(message, IFLA_BR_MULTI_BOOLOPT, sizeof option, &option) < 0) {
    return false;
  }
  return nla_nest_end(message, data) >= 0 && nla_nest_end(message, link) >= 0;
}

}  // namespace

absl::Status ignore_senders_of_link_protocols(nl_sock* socket, int index, const std::string& name) {
  std::unique_ptr<nl_msg, MessageDeleter> message(nlmsg_alloc_simple(RTM_NEWLINK, 0));
  if (!message || !fill(message.get(), index)) {
    return resource_exhausted("no memory for a change of the bridge {}", name);
  }
  // nl_send_sync frees the message, whatever comes of it.
  const int error = nl_send_sync(socket, message.release());
  if (error >= 0) return absl::OkStatus();
  return internal_error("cannot keep the bridge {} from learning MACs of link protocols: {}", name,
                        nl_geterror(error));
}

}  // namespace stellwerk::network
