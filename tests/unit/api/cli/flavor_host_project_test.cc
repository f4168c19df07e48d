// Flavors, hosts and projects.
#include "harness.h"

namespace stellwerk::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class Catalog : public CliTest {
 protected:
  Catalog() {
    v1::Flavor flavor;
    flavor.set_name("flavors/SCS-2V-4-20s");
    flavor.set_vcpus(2);
    flavor.set_cpu_class(v1::Flavor::SHARED);
    flavor.set_memory_mib(4096);
    flavor.mutable_disks()->set_count(1);
    flavor.mutable_disks()->set_size_bytes(20'000'000'000);
    flavor.mutable_disks()->set_type(v1::Flavor::SSD);
    flavor.set_builtin(true);
    (*flavor.mutable_extra_specs())["scs:name-v1"] = "SCS-2V:4:20s";
    daemon.script().flavors = {flavor};
    daemon.script().hosts = {host()};
    v1::Project project;
    project.set_name("projects/default");
    project.set_etag("1");
    *project.mutable_create_time() = seconds_ago(7200);
    (*project.mutable_labels())["owner"] = "town";
    daemon.script().projects = {project};
  }

  static v1::Host host() {
    v1::Host host;
    host.set_name("hosts/node-1");
    host.set_state(v1::Host::READY);
    host.mutable_capacity()->set_cores(4);
    host.mutable_capacity()->set_threads(8);
    host.mutable_capacity()->set_memory_bytes(int64_t{32} << 30);
    host.mutable_capacity()->set_disk_bytes(int64_t{100} << 30);
    host.mutable_use()->set_instances(3);
    host.mutable_use()->set_memory_bytes(int64_t{6} << 30);
    host.mutable_use()->set_disk_bytes(int64_t{60} << 30);
    host.mutable_use()->set_shared_vcpus(3);
    host.mutable_foreign()->set_domains(1);
    host.mutable_foreign()->set_vcpus(2);  // with the orphans'
    host.mutable_foreign()->set_memory_bytes(int64_t{768} << 20);
    auto* orphan = host.add_orphans();
    orphan->set_uid("u");
    orphan->set_domain("stellwerk-u");
    orphan->set_project_id("default");
    orphan->set_instance_id("lost");
    auto* older = host.add_orphans();
    older->set_uid("v");
    older->set_domain("stellwerk-v");
    older->set_instance_id("older");
    host.set_accelerator("kvm");
    auto* node = host.add_numa_nodes();
    node->set_cores(4);
    node->set_memory_bytes(int64_t{32} << 30);
    for (const int cpu : {0, 1, 2, 3, 4, 5, 6, 7}) node->add_cpu_ids(cpu);
    for (const int cpu : {1, 5}) host.add_dedicated_cpu_ids(cpu);
    for (const int cpu : {0, 2, 3, 4, 6, 7}) host.add_shared_cpu_ids(cpu);
    host.set_unpinned_dedicated_vcpus(2);
    return host;
  }
};

TEST_F(Catalog, FlavorListIsATable) {
  EXPECT_EQ(run({"flavor", "list"}).out,
            "NAME           VCPUS   CLASS    MEMORY   DISK        BUILTIN\n"
            "SCS-2V-4-20s   2       shared   4 GiB    20 GB ssd   yes\n");
}

TEST_F(Catalog, FlavorShowNamesItsExtraSpecs) {
  EXPECT_THAT(run({"flavor", "show", "SCS-2V-4-20s"}).out,
              AllOf(HasSubstr("Disk:          20 GB ssd\n"),
                    HasSubstr("Extra specs:   scs:name-v1=SCS-2V:4:20s\n")));
}

TEST_F(Catalog, AnScsFlavorNeedsItsNameOnly) {
  EXPECT_EQ(run({"flavor", "create", "SCS-8T-32"}).code, 0);
  EXPECT_THAT(daemon.calls().front().request,
              ::testing::StartsWith("flavor_id: \"SCS-8T-32\" flavor { } request_id:"));
}

TEST_F(Catalog, AFreeFlavorSaysItsSize) {
  EXPECT_EQ(run({"flavor", "create", "tiny", "--vcpus", "1", "--memory", "64MiB", "--class",
                 "dedicated-core", "--disk", "10GB", "--disk-type", "nvme"})
                .code,
            0);
  EXPECT_THAT(daemon.calls().front().request,
              HasSubstr("flavor { cpu_class: DEDICATED_CORE vcpus: 1 memory_mib: 64 "
                        "disks { count: 1 size_bytes: 10000000000 type: NVME } }"));
}

TEST_F(Catalog, AFreeFlavorWithoutASizeIsAMistakeOfTheCommandLine) {
  const Ran ran = run({"flavor", "create", "tiny"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_EQ(ran.err,
            "error: --vcpus and --memory are missing; only a name that begins with SCS- says the "
            "size itself\n");
  EXPECT_THAT(run({"flavor", "create", "tiny", "--vcpus", "1"}).err,
              HasSubstr("error: --memory is missing;"));
  EXPECT_TRUE(daemon.calls().empty());
}

TEST_F(Catalog, FlavorMemoryIsCountedInMebibytes) {
  const Ran ran = run({"flavor", "create", "tiny", "--vcpus", "1", "--memory", "1MB"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, HasSubstr("1MB is not a whole number of MiB"));
}

TEST_F(Catalog, FlavorDelete) {
  EXPECT_EQ(run({"flavor", "delete", "SCS-2V-4-20s"}).out, "flavor SCS-2V-4-20s is deleted\n");
}

TEST_F(Catalog, HostListTellsWhatIsFree) {
  EXPECT_EQ(run({"host", "list"}).out,
            "NAME     STATE   INSTANCES   THREADS   MEMORY            DISK                ACCEL\n"
            "node-1   READY   3           8         6 GiB of 32 GiB   60 GiB of 100 GiB   kvm\n");
  EXPECT_THAT(run({"host", "list", "-o", "wide"}).out, HasSubstr("ORPHANS"));
  EXPECT_THAT(run({"host", "list", "-o", "json"}).out, HasSubstr("\"state\": \"READY\""));
}

TEST_F(Catalog, HostShowNamesOrphans) {
  EXPECT_THAT(run({"host", "show", "node-1"}).out,
              AllOf(HasSubstr("u (domain stellwerk-u, was projects/default/instances/lost)"),
                    HasSubstr("v (domain stellwerk-v, was instance older of an unknown project)"),
                    HasSubstr("Foreign and orphans:   3 domains, 2 vCPUs, 768 MiB\n"),
                    HasSubstr("0 low-performance, 3 shared, 0 dedicated threads")));
}

TEST_F(Catalog, HostShowTellsWhoseWhichProcessorsAre) {
  EXPECT_THAT(run({"host", "show", "node-1"}).out,
              AllOf(HasSubstr("0: 4 cores, CPUs 0-7, 32 GiB"), HasSubstr("Dedicated CPUs:"),
                    HasSubstr(" 1,5\n"), HasSubstr(" 0,2-4,6-7\n"),
                    HasSubstr("2 dedicated vCPUs, booked before CPUs were chosen")));
  v1::Host unknown = host();
  unknown.clear_numa_nodes();
  daemon.script().hosts = {unknown};
  EXPECT_THAT(run({"host", "show", "node-1"}).out,
              HasSubstr("not known: no dedicated vCPUs can be booked"));
}

TEST_F(Catalog, ProjectsComeAndGo) {
  EXPECT_EQ(run({"project", "list"}).out, "NAME      AGE   LABELS\ndefault   2 h   owner=town\n");
  EXPECT_THAT(run({"project", "show", "default"}).out,
              HasSubstr("Labels:                  owner=town\n"));
  EXPECT_EQ(run({"project", "create", "town-hall", "--label", "a=b"}).code, 0);
  EXPECT_THAT(
      daemon.calls().back().request,
      HasSubstr("project_id: \"town-hall\" project { labels { key: \"a\" value: \"b\" } }"));
  EXPECT_EQ(run({"project", "delete", "default"}).out, "project default is deleted\n");
  EXPECT_EQ(run({"project", "show", "nothing"}).code, 3);
}

}  // namespace
}  // namespace stellwerk::test
