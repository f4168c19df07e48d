"""Published data sets become traces: what each column becomes; no guests."""

import io
import json
import lzma
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import convert_traces  # noqa: E402

HUAWEI = """flavor_vcpus,flavor_ram,numa,strategy,group,domain
8,16,1,fault_domain,0,1
4,8,1
32,64,2,anti-affinity,0
2,4,1,fault_domain,0,2
2,4,1,affinity,0
1,2,1,fault_domain,7,0
"""


class Huawei(unittest.TestCase):
    def setUp(self):
        self.rows = list(convert_traces.rows_of_huawei(io.StringIO(HUAWEI)))

    def test_rows_come_one_a_second_in_the_published_order_and_stay(self):
        self.assertEqual([row[0] for row in self.rows], list(range(6)))
        self.assertEqual({row[1] for row in self.rows}, {""})
        self.assertEqual(len({row[2] for row in self.rows}), 6)

    def test_memory_is_in_gib_and_numa_counts_nodes(self):
        self.assertEqual(self.rows[2][4:8], [32, 65536, 0, 2])

    def test_each_strategy_has_groups_of_its_own_and_a_rule(self):
        self.assertEqual([row[8:] for row in self.rows[:5]],
                         [["fault-domain-0", "soft-anti-affinity", "rack"], ["", "", ""],
                          ["anti-affinity-0", "anti-affinity", "host"],
                          ["fault-domain-0", "soft-anti-affinity", "rack"],
                          ["affinity-0", "soft-affinity", "rack"]])

    def test_a_single_fault_domain_keeps_nobody_apart(self):
        self.assertEqual(self.rows[5][8:], ["", "", ""])


def guest(name, *nodes):
    return {"instance_id": name, "instance_type": "a", "host_id": "pm_0", "allow_migration": True,
            "numa": [{"node": i, "cpu": cpu, "mem_mb": memory}
                     for i, (cpu, memory) in enumerate(nodes)]}


class Bytedance(unittest.TestCase):
    def setUp(self):
        names = [f"vm_{i}" for i in range(40)]
        clusters = [{"vm_instance": [guest(name, (4, 8192.0), (4, 8192.0))]} for name in names]
        clusters[0]["vm_instance"].append(guest("small", (2, 4096.0)))
        text = json.dumps({"cluster_list": clusters})
        self.names = [*names, "small"]
        self.rows = list(convert_traces.rows_of_bytedance(io.StringIO(text)))

    def test_nodes_add_up(self):
        sizes = {row[2]: row[4:8] for row in self.rows}
        self.assertEqual(sizes["vm_3"], [8, 16384, 0, 2])
        self.assertEqual(sizes["small"], [2, 4096, 0, 1])

    def test_the_order_does_not_tell_the_hosts(self):
        order = [row[2] for row in self.rows]
        self.assertEqual(sorted(order), sorted(self.names))
        self.assertNotEqual(order, self.names)


class Halves(unittest.TestCase):
    def test_each_row_is_in_one_half_and_both_have_the_header(self):
        first, second = convert_traces.halves_of(["head", "1", "2", "3"])
        self.assertEqual((first, second), (["head", "1", "2"], ["head", "3"]))

    def test_files_are_packed_and_unpacked(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            (folder / "in.csv").write_text("a,b\n1,2\n3,4\n", "utf-8")
            words = ["halve", *(str(folder / name) for name in ("in.csv", "1.xz", "2.xz"))]
            self.assertEqual(convert_traces.main(words), 0)
            self.assertEqual(lzma.open(folder / "2.xz", "rt").read(), "a,b\n3,4\n")

    def test_anything_else_is_answered_with_how_it_is_called(self):
        self.assertEqual(convert_traces.main(["huawei"]), 2)


if __name__ == "__main__":
    unittest.main()
