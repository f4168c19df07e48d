#include "api/daemon/backup.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "api/daemon/state_directory.h"
#include "core/validate.h"
#include "drivers/store/sqlite/backup.h"

namespace stellwerk::daemon {
namespace {

// "20261123T045050Z": fit for the name of a file.
std::string compact(WallTime time) {
  std::string text = to_rfc3339(time);
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

std::string described(const store::BackupSummary& summary) {
  return fmt::format(
      "{} entries up to sequence {}{}", summary.entries, summary.sequence,
      summary.note ? fmt::format(", made {} by stellwerkd {} on host {}", summary.note->made_at,
                                 summary.note->made_by, summary.note->host_uid)
                   : "");
}

// Whose identity this machine is to have.
absl::StatusOr<HostUid> identity_for(const store::BackupSummary& summary,
                                     const std::optional<HostUid>& present,
                                     const std::string& state_dir) {
  if (!summary.note) {
    if (present) return *present;
    return failed_precondition(
        "the backup is a plain copy of the database, without the host's identity: put the file "
        "host-uid that belongs to it into {} first",
        state_dir);
  }
  const auto uid = HostUid::parse(summary.note->host_uid);
  if (!uid || uid->is_nil()) {
    return data_loss("the backup's host-uid is {}, which is none", quoted(summary.note->host_uid));
  }
  if (!present || *present == *uid) return *uid;
  return failed_precondition(
      "the backup is of host {}, but {}/host-uid says that this is host {}. If this machine takes "
      "that host's place, move host-uid away and restore again",
      uid->to_string(), state_dir, present->to_string());
}

// Whoever owns the state directory runs the daemon.
absl::Status give_to_owner_of(const std::string& state_dir) {
  struct stat folder {};
  if (::geteuid() != 0 || ::stat(state_dir.c_str(), &folder) != 0) return absl::OkStatus();
  for (const std::string& file :
       {StateDirectory::database_in(state_dir), state_dir + "/host-uid"}) {
    if (::chown(file.c_str(), folder.st_uid, folder.st_gid) != 0) {
      return failed_precondition("{}: cannot give it to the owner of {}", file, state_dir);
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> back_up(const Config& config, const std::string& file, bool replace,
                                    WallTime now) {
  const std::string& state_dir = config.daemon.state_dir;
  SW_ASSIGN_OR_RETURN(const std::optional<HostUid> uid, read_host_uid(state_dir));
  if (!uid) {
    return failed_precondition(
        "{}: no daemon has worked here, or it cannot be read; is daemon.state_dir right, and are "
        "you root?",
        state_dir);
  }
  const auto summary = store::back_up(
      StateDirectory::database_in(state_dir), file,
      {.host_uid = uid->to_string(), .made_at = to_rfc3339(now), .made_by = STELLWERK_VERSION},
      replace ? store::IfExists::kReplace : store::IfExists::kRefuse);
  if (!summary.ok()) return annotate(summary.status(), "no backup was made");
  return fmt::format("{}: {}; disks and images are not part of it", file, described(*summary));
}

absl::StatusOr<std::string> restore_backup(const Config& config, const std::string& file,
                                           WallTime now) {
  const std::string& state_dir = config.daemon.state_dir;
  constexpr std::string_view kNothing = "nothing was restored";
  const auto offered = store::inspect_backup(file);
  if (!offered.ok()) return annotate(offered.status(), kNothing);
  SW_ASSIGN_OR_RETURN(const StateDirectory state, StateDirectory::open(state_dir));
  SW_ASSIGN_OR_RETURN(const std::optional<HostUid> present, read_host_uid(state_dir));
  const auto uid = identity_for(*offered, present, state_dir);
  if (!uid.ok()) return annotate(uid.status(), kNothing);
  // Before the database, so that no crash leaves a cell that a new identity would be given to.
  SW_RETURN_IF_ERROR(state.host_uid(*uid).status());
  const std::string database = state.database_path();
  const std::string aside = database + ".before-restore-" + compact(now);
  std::error_code error;
  const bool replaces = std::filesystem::exists(database, error);
  const auto restored = store::restore_backup(file, database, aside);
  if (!restored.ok()) {
    if (!present) std::filesystem::remove(state_dir + "/host-uid", error);
    return annotate(restored.status(), kNothing);
  }
  SW_RETURN_IF_ERROR(give_to_owner_of(state_dir));
  return fmt::format("{}: {}{}. Start the daemon: systemctl start stellwerkd", database,
                     described(*restored),
                     replaces ? fmt::format("; the database that was there is {}", aside) : "");
}

}  // namespace stellwerk::daemon
