"""The manual pages name everything there is, and the completion works in a bash.

manual_test.py SOURCE BUILD
"""

import pathlib
import re
import subprocess
import sys
import tomllib
import unittest

SOURCE, BUILD = (pathlib.Path(argument) for argument in sys.argv[1:3])
PAGES = {name: BUILD / "man" / name for name in ("stellwerk.1", "stellwerkd.8",
                                                 "stellwerk.toml.5")}


def output_of(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60,
                          **options).stdout


def shown(name):
    """A page as plain text in one line, hyphens and quotation marks as they are typed."""
    text = output_of("mandoc", "-T", "ascii", "-O", "width=1000", PAGES[name])
    return re.sub(r"\s+", " ", re.sub(".\b", "", text))


def commands(words):
    """(words, help) of a command and of all below it."""
    help_text = output_of(BUILD / "bin" / words[0], *words[1:], "--help")
    yield words, help_text
    listed = help_text.split("Subcommands:\n")[1] if "Subcommands:\n" in help_text else ""
    for line in listed.splitlines():
        if not line.startswith("  "):
            break
        if match := re.match(r"  ([a-z-]+)(\s|$)", line):
            yield from commands([*words, match[1]])


class Pages(unittest.TestCase):
    def test_no_page_has_mistakes(self):
        for page in PAGES.values():
            said = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page], check=False,
                                  capture_output=True, text=True, timeout=60)
            self.assertEqual(said.stdout, "")

    def test_pages_name_every_command_and_option(self):
        for program, name in (("stellwerk", "stellwerk.1"), ("stellwerkd", "stellwerkd.8")):
            page = shown(name)
            found = list(commands([program]))
            self.assertGreater(len(found), 4)
            for words, help_text in found:
                with self.subTest(words):
                    self.assertIn(" ".join(words[1:]), page)
                    options = set(re.findall(r"(?m)^  (?:-\w,)?(--[a-z0-9-]+)", help_text))
                    for option in options - {"--help"}:
                        self.assertIn(option, page)

    def test_help_page_and_documentation_have_every_exit_code(self):
        source = (SOURCE / "api" / "cli" / "exit_code.h").read_text("utf-8")
        codes = re.findall(r"(?m)^  k\w+ = (\d+),", source)
        help_text = output_of(BUILD / "bin" / "stellwerk", "--help").split("Exit codes:\n")[1]
        meanings = dict(re.findall(r"(?m)^  (\d+)  (.*)$", help_text))
        self.assertEqual(list(meanings), codes)
        section = shown("stellwerk.1").split("EXIT STATUS")[1]
        for code, meaning in meanings.items():
            self.assertIn(f"{code} {meaning} ", section)
        table = (SOURCE / "docs" / "cli.md").read_text("utf-8").split("## Exit codes\n")[1]
        self.assertEqual(re.findall(r"(?m)^\| (\d+) \|", table), codes)

    def test_configuration_page_has_every_key_with_its_default(self):
        page = shown("stellwerk.toml.5")
        text = (SOURCE / "systemd" / "stellwerk.toml").read_text("utf-8")
        keys = re.findall(r"(?m)^#([a-z_]+) = (.*)$", text)
        self.assertGreater(len(keys), 20)
        for key, value in keys:
            self.assertIn(f"{key} = {value}", page)
        for section in tomllib.loads(text):
            self.assertIn(f"[{section}]", page)

    def test_build_installs_programs_pages_and_completion(self):
        rules = (BUILD / "docs" / "man" / "cmake_install.cmake").read_text("utf-8")
        for name in (*PAGES, "bin/stellwerk", "bin/stellwerkd", "completions/stellwerk"):
            self.assertIn(name + '"', rules)


class Completion(unittest.TestCase):
    def complete(self, line):
        """What bash offers after `line`, of which the last word is under the cursor."""
        script = ('source "$1"; read -ra COMP_WORDS <<< "$2"; [[ $2 == *" " ]] && COMP_WORDS+=("");'
                  "COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _stellwerk; printf '%s\\n' "
                  '"${COMPREPLY[@]}"')
        return output_of("bash", "--norc", "-c", script, "bash",
                         BUILD / "completions" / "stellwerk", line,
                         env={"PATH": f"{BUILD / 'bin'}:/usr/bin:/bin",
                              "STELLWERK_ENDPOINT": "unix:///nowhere"}).split()

    def test_bash_is_offered_nouns_verbs_options_and_choices(self):
        self.assertEqual(self.complete("stellwerk ins"), ["instance"])
        self.assertEqual(self.complete("stellwerk instance st"), ["start", "stop"])
        self.assertIn("delete", self.complete("stellwerk instance "))
        self.assertEqual(self.complete("stellwerk instance list --outp"), ["--output"])
        self.assertEqual(self.complete("stellwerk instance list -o ya"), ["yaml"])

    def test_bash_knows_the_function_for_the_program(self):
        said = output_of("bash", "--norc", "-c", 'source "$1"; complete -p stellwerk', "bash",
                         BUILD / "completions" / "stellwerk")
        self.assertIn("-F _stellwerk stellwerk", said)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
