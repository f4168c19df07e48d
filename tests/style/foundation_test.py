"""What everybody finds in this repository: the files, the verbs of ./dev, how it is compiled.

foundation_test.py SOURCE BUILD
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE, BUILD = (pathlib.Path(argument) for argument in sys.argv[1:3])
VERBS = ("setup", "build", "test", "demo", "sim", "bench", "lint", "format")
NOBODY = 65534


def text_of(name):
    return (SOURCE / name).read_text("utf-8")


class Foundation(unittest.TestCase):
    def test_repository_says_what_it_is(self):
        self.assertIn("EUROPEAN UNION PUBLIC LICENCE v. 1.2", text_of("LICENSE"))
        self.assertIn("license: EUPL-1.2", text_of("publiccode.yml"))
        self.assertIn("./dev test", text_of("CONTRIBUTING.md"))
        self.assertIn("┌", text_of("docs/architecture.md"), "the diagram")
        self.assertRegex(text_of(".ci/run"), r"(?m)^exec \./dev test\b")
        for name in ("dev", ".ci/run"):
            self.assertTrue(os.access(SOURCE / name, os.X_OK), name)

    def test_first_screen_of_the_readme_names_the_two_commands(self):
        first_screen = "\n".join(text_of("README.md").splitlines()[:24])
        for words in ("./dev demo", "./dev test", "virtual machines", "public IT providers"):
            self.assertIn(words, first_screen)

    def test_docs_name_every_reason_of_an_error_and_no_other(self):
        told = set()
        for folder in ("api/server", "api/convert", "api/daemon", "orchestrator", "core"):
            for file in (SOURCE / folder).rglob("*.cc"):
                told |= set(re.findall(r'with_reason\(.*?"([A-Z_]+)"', file.read_text("utf-8"),
                                       re.DOTALL))
        console = (SOURCE / "orchestrator/agent/console.h").read_text("utf-8")
        told |= set(re.findall(r'string_view k\w+ = "([A-Z_]+)"', console))
        rows = [line.split("|") for line in text_of("docs/api.md").splitlines()
                if line.startswith("| `")]
        codes = {"OK"} | {code for row in rows for code in re.findall("`([A-Z_]+)`", row[1])}
        documented = {reason for row in rows for reason in re.findall("`([A-Z_]+)`", row[2])}
        self.assertGreater(len(documented), 20)
        self.assertEqual(told - codes, documented - codes)

    def test_help_names_every_verb(self):
        said = subprocess.run([SOURCE / "dev", "help"], capture_output=True, text=True,
                              check=True).stdout
        for verb in VERBS:
            self.assertRegex(said, rf"(?m)^\./dev {verb}\b")

    def test_unknown_verb_is_refused(self):
        result = subprocess.run([SOURCE / "dev", "fly"], capture_output=True, text=True,
                                check=False)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("no verb fly", result.stderr)

    def test_every_verb_asks_for_the_packages_that_it_needs(self):
        """On a machine where dpkg knows of no package, and without the right to install any."""
        with tempfile.TemporaryDirectory() as folder:
            bare = pathlib.Path(folder)
            bare.chmod(0o755)
            shutil.copy(SOURCE / "dev", bare / "dev")
            (bare / "bin").mkdir()
            (bare / "bin" / "dpkg-query").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
            (bare / "bin" / "dpkg-query").chmod(0o755)
            for verb, package in (("setup", "mmdebstrap"), ("build", "g++"), ("test", "ovmf"),
                                  ("sim", "librapidcheck-dev"), ("bench", "libboost1.81-dev"),
                                  ("lint", "clang-format"), ("format", "clang-format")):
                with self.subTest(verb):
                    result = subprocess.run(
                        [bare / "dev", verb], capture_output=True, text=True, check=False,
                        env={"PATH": f"{bare / 'bin'}:/usr/bin:/bin"}, cwd=bare,
                        user=NOBODY if os.geteuid() == 0 else None)
                    self.assertNotEqual(result.returncode, 0)
                    self.assertIn("packages are missing", result.stderr)
                    self.assertIn(package, result.stderr)

    def test_compiler_is_as_strict_as_promised(self):
        commands = json.loads((BUILD / "compile_commands.json").read_text("utf-8"))
        own = [entry for entry in commands if re.search(r"/(core|placement|orchestrator|drivers|api)"
                                                        r"/[^/].*\.cc$", entry["file"])
               and "/build" not in entry["file"]]
        self.assertGreater(len(own), 100)
        for entry in own:
            for flag in ("-std=c++20", "-Wall", "-Wextra", "-Werror"):
                self.assertIn(flag, entry["command"].split(), entry["file"])

    def test_build_leaves_both_programs(self):
        for name in ("stellwerk", "stellwerkd"):
            self.assertTrue(os.access(BUILD / "bin" / name, os.X_OK), name)

    def test_pure_suites_are_built_for_sanitizers_and_run(self):
        presets = json.loads(text_of("CMakePresets.json"))["configurePresets"]
        sanitize = next(preset for preset in presets if preset["name"] == "sanitize")
        self.assertEqual(sanitize["cacheVariables"]["STELLWERK_SANITIZE"], "address,undefined")
        self.assertRegex(text_of("dev"), r"(?m)^  begin .* test_sanitized \"\$@\"$")
        self.assertRegex(text_of("dev"), r"(?m)^  run_ctest build-sanitize ")
        pure = text_of("tests/CMakeLists.txt").split("if(NOT STELLWERK_PURE_ONLY)")[0]
        for suite in ("unit/core", "unit/placement", "unit/orchestrator/controller",
                      "unit/orchestrator/agent", "sim"):
            self.assertIn(f"add_subdirectory({suite})", pure)

    def test_no_test_may_be_skipped(self):
        files = subprocess.run(["ctest", "--test-dir", BUILD, "--show-only=json-v1"],
                               capture_output=True, text=True, check=True).stdout
        tests = json.loads(files)["tests"]
        self.assertGreater(len(tests), 30)
        for test in tests:
            names = {each["name"] for each in test.get("properties", [])}
            self.assertFalse(names & {"SKIP_RETURN_CODE", "SKIP_REGULAR_EXPRESSION", "DISABLED",
                                      "WILL_FAIL"}, test["name"])

    def test_guests_without_root_are_a_failure_and_no_skip(self):
        for command in (["/usr/bin/python3", SOURCE / "tests" / "e2e" / "sandbox", "/bin/true"],
                        [BUILD / "bin" / "hypervisor_real_test"]):
            with self.subTest(str(command[-1])), tempfile.TemporaryDirectory() as folder:
                result = subprocess.run(command, capture_output=True, check=False, cwd=folder,
                                        user=NOBODY if os.geteuid() == 0 else None)
                self.assertNotEqual(result.returncode, 0)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
