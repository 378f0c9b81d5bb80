"""The app's modules as one script: each in its scope, behind what it imports, and nothing that is not understood."""

from __future__ import annotations

from graphlib import CycleError

import pytest

from otp.ramznegar.joined import UnknownModule, joined

MODULES = {
    "app": 'import * as list from "./list.js";\nimport {\n  say,\n} from "./words.js";\nsay(list.all);\n',
    "list": 'import { say } from "./words.js";\nexport const all = 1;\nexport class Gone extends Error {}\n',
    "words": "export const say = (text) => text;\nexport async function ask() {}\nexport function tell() {}\n",
}
WHOLE = """const $words = (() => {
const say = (text) => text;
async function ask() {}
function tell() {}
return { say, ask, tell };
})();
const $list = (() => {
const { say } = $words;
const all = 1;
class Gone extends Error {}
return { all, Gone };
})();
const $app = (() => {
const list = $list;
const {
  say,
} = $words;
say(list.all);
return {  };
})();
"""


def test_modules_stand_behind_what_they_import() -> None:
    """Whatever order they are given in."""
    assert joined(MODULES) == WHOLE
    assert joined(dict(reversed(MODULES.items()))).endswith(WHOLE[WHOLE.index("const $app") :])


@pytest.mark.parametrize(
    "text",
    [
        'import say from "./words.js";\n',
        'import { say } from "/words.js";\n',
        'import "./words.js";\n',
        "export default 1;\n",
        "export { say };\n",
        "export let count = 0;\n",
        'export * from "./words.js";\n',
        'import { say } from "./nowhere.js";\n',
    ],
)
def test_what_is_not_understood_stops_the_start(text: str) -> None:
    """Another way to import or export, a binding that changes, a module that is not there."""
    with pytest.raises(UnknownModule):
        joined({**MODULES, "app": text})


def test_modules_that_need_each_other_stop_the_start() -> None:
    """There is no order for them."""
    with pytest.raises(CycleError):
        joined({**MODULES, "words": 'import { all } from "./list.js";\n'})
