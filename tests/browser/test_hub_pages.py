"""The Hub's pages in a real browser."""

import os
import re
import subprocess
import sys

import pytest
from huggingface_hub import HfApi

from hostile_cards import HOSTILE
from page_visitors import PASSWORD, commit, member, person, repository
from rl_hub.repositories import catalog, revisions

CARD = """---
library_name: stable-baselines3
tags: [CartPole-v1]
model-index:
- name: DQN
  results:
  - task: {type: reinforcement-learning}
    dataset: {name: CartPole-v1, type: CartPole-v1}
    metrics: [{type: mean_reward, value: 490.50 +/- 12.00}]
---
# An agent

<div align="center"><img src="curve.png" width="100"> ![elsewhere](https://evil.example/x.png)</div>

| a | b |
|:--|--:|
| 1 | 2 |

```bash
python -m rl_units train --algo dqn --env CartPole-v1 --with-a-very-long-flag-that-runs-out-of-every-phone
```
"""
# 1 x 1, transparent.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000000000500015c"
    "cdff690000000049454e44ae426082"
)


@pytest.fixture
def ada(hub):
    return member(hub, "rl-2026", person(hub, "ada", PASSWORD, full_name="Ada L."))


@pytest.fixture
def agent(ada):
    files = {"README.md": CARD, "curve.png": PNG, "dqn-CartPole-v1.zip": b"PK", "src/train.py": "print(1)\n" * 30}
    made = repository(ada, "dqn-CartPole-v1", files)
    made = commit(ada, made, {"src/train.py": "print(2)\n" * 30}, title="Print more")
    with ada.hub.database.write() as connection:
        made = catalog.find_by_id(connection, ada.identity, made.id)
        revisions.create(connection, made, revisions.NamedCommit("tag", "v1", made.sha))
    return made


AT = "/ada/dqn-CartPole-v1"
EVERY_PAGE = [
    *("/", "/models", "/models?search=dqn&filter=CartPole-v1", "/datasets", "/ada", "/rl-2026", "/login", "/device"),
    *(AT, f"{AT}/tree/main", f"{AT}/tree/v1/src", f"{AT}/blob/main/src/train.py", f"{AT}/blob/main/curve.png"),
    *(f"{AT}/blob/main/dqn-CartPole-v1.zip", f"{AT}/commits/main", f"{AT}/commit/main"),
    *("/settings", "/settings/tokens", "/settings/password"),
]


@pytest.mark.parametrize("kind", ["phone", "desktop without scripts"])
def test_every_page_is_quiet_and_fits_into_the_window(open_window, agent, kind):
    window = open_window(kind)
    window.sign_in("ada", PASSWORD)
    window.open("/settings/tokens")
    window.page.get_by_label("Name", exact=True).fill("a-laptop-with-a-rather-long-name")
    window.page.get_by_role("button", name="Create the token").click()
    assert window.page.locator("html").evaluate("html => html.scrollWidth") <= window.page.viewport_size["width"]
    for path in EVERY_PAGE:
        assert window.open(path).status == 200
        width = window.page.viewport_size["width"]
        assert window.page.locator("html").evaluate("html => html.scrollWidth") <= width, path
        assert window.page.get_by_role("heading", level=1).count() == 1, path
        assert window.page.get_by_role("main").count() == 1, path


def test_an_error_page_is_quiet_too(window):
    assert window.open("/nobody/nothing", refused=True).status == 404
    assert window.page.get_by_role("heading", name="Not found").is_visible()


def test_every_field_has_a_name_for_those_who_do_not_see_it(window, agent):
    window.sign_in("ada", PASSWORD)
    for path in ("/", "/models", "/settings/tokens", "/settings/password", "/device"):
        window.open(path)
        fields = window.page.locator("input:not([type=hidden]):not([aria-hidden]), select")
        for number in range(fields.count()):
            labels = fields.nth(number).evaluate("field => [...field.labels].map(label => label.textContent.trim())")
            assert any(labels), path


@pytest.mark.parametrize("kind", ["desktop", "dark"])
def test_text_stands_out_from_its_ground(open_window, agent, kind):
    window = open_window(kind)
    for path in ("/", "/models", AT, f"{AT}/tree/main", f"{AT}/commit/main", "/login"):
        window.open(path)
        # WCAG 2.2, success criterion 1.4.3.
        assert window.page.evaluate(_CONTRASTS) >= 4.5, path


_CONTRASTS = """() => {
  const channel = (value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const painted = (colours) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  let worst = 21;
  for (const element of document.querySelectorAll("body *")) {
    const said = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!said || !element.checkVisibility({opacityProperty: true}) || element.closest(".offscreen, .skip")) continue;
    const grounds = [];
    for (let at = element; at; at = at.parentElement) grounds.unshift(getComputedStyle(at).backgroundColor);
    const [text, ground] = [painted([...grounds, getComputedStyle(element).color]), painted(grounds)].map(luminance);
    worst = Math.min(worst, (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05));
  }
  return worst;
}"""


def test_the_keyboard_gets_everywhere(window, agent):
    window.open(AT)
    window.page.keyboard.press("Tab")
    assert window.page.locator(":focus").inner_text() == "Skip to the content"
    window.page.keyboard.press("Enter")
    window.page.keyboard.press("Tab")
    assert window.page.locator("main :focus").count() == 1
    assert window.page.locator(":focus").evaluate("element => getComputedStyle(element).outlineStyle") == "solid"


def test_a_snippet_is_copied_by_its_button(open_window, agent):
    window = open_window(permissions=["clipboard-read", "clipboard-write"])
    window.open(AT)
    block = window.page.locator(".snippets .copyable").first
    block.hover()
    block.get_by_role("button", name="Copy").click()
    block.get_by_role("button", name="Copied").wait_for()
    copied = window.page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(f"export HF_ENDPOINT={window.endpoint}\n")
    assert copied.endswith("enjoy --algo dqn --env CartPole-v1 -f logs/")


def test_a_snippet_is_copied_where_the_browser_has_no_clipboard_for_pages(open_window, agent):
    window = open_window(permissions=["clipboard-read", "clipboard-write"])
    window.page.add_init_script(
        "const real = navigator.clipboard; window.readBack = () => real.readText();"
        "Object.defineProperty(navigator, 'clipboard', {value: undefined})"
    )
    window.open(AT)
    block = window.page.locator(".snippets .copyable").first
    block.hover()
    block.get_by_role("button", name="Copy").click()
    block.get_by_role("button", name="Copied").wait_for()
    assert window.page.evaluate("readBack()").startswith("export HF_ENDPOINT=")


def test_a_menu_closes_by_a_click_beside_it_and_by_escape(window, agent):
    window.open(f"{AT}/tree/main")
    menu = window.page.locator("details.menu")
    menu.locator("summary").click()
    assert menu.get_by_role("link", name="v1", exact=True).is_visible()
    window.page.get_by_role("contentinfo").click()
    assert not menu.get_by_role("link", name="v1", exact=True).is_visible()
    menu.locator("summary").click()
    window.page.keyboard.press("Escape")
    assert not menu.get_by_role("link", name="v1", exact=True).is_visible()
    assert menu.locator("summary").evaluate("summary => summary === document.activeElement")


def test_a_branch_is_chosen_from_the_menu(window, agent):
    window.open(f"{AT}/tree/main")
    window.page.locator("details.menu summary").click()
    window.page.get_by_role("link", name="v1", exact=True).click()
    window.page.wait_for_url(f"**{AT}/tree/v1")


def test_a_search_leads_to_an_agent_and_its_files(window, agent):
    window.open("/")
    window.page.get_by_label("Search models by name").fill("cartpole")
    window.page.get_by_role("button", name="Search").click()
    window.page.get_by_role("link", name="ada/dqn-CartPole-v1").click()
    window.page.get_by_role("link", name="Files").click()
    with window.page.expect_download() as download:
        window.page.get_by_role("link", name="Download README.md").click()
    assert download.value.path().read_text(encoding="utf-8") == CARD


def test_hostile_cards_run_nothing_and_load_nothing(window, ada):
    window.page.add_init_script("window.attack = () => alert('attacked')")
    for number in range(0, len(HOSTILE), 6):
        repository(ada, f"agent-{number}", {"README.md": "\n\n".join(HOSTILE[number : number + 6])})
        window.open(f"/ada/agent-{number}")
        assert window.page.url == f"{window.endpoint}/ada/agent-{number}"
        assert window.page.get_by_role("navigation", name="Repository").is_visible()
    # The pictures that the cards show are not in their repositories.
    missing = re.compile(r"console: Failed to load resource: the server responded with a status of 404")
    window.problems[:] = [problem for problem in window.problems if not missing.match(problem)]


def test_a_stored_page_runs_nothing_when_it_is_opened_raw(window, ada):
    page = "<script>alert('attacked')</script><img src=https://evil.example/x.png>"
    repository(
        ada, "agent", {"page.html": page, "picture.svg": f"<svg xmlns='http://www.w3.org/2000/svg'>{page}</svg>"}
    )
    window.open("/ada/agent/resolve/main/page.html")
    window.open("/ada/agent/blob/main/picture.svg")
    assert window.page.locator(".line").first.inner_text().startswith("<svg")


def test_signing_in_and_out(window, ada):
    window.open("/settings/tokens")
    window.page.get_by_label("Name").fill("ada")
    window.page.get_by_label("Password").fill(PASSWORD)
    window.page.get_by_role("main").get_by_role("button", name="Sign in").click()
    window.page.wait_for_url("**/settings/tokens")
    window.page.locator(".top details.menu summary").click()
    window.page.get_by_role("button", name="Sign out").click()
    window.page.get_by_role("link", name="Sign in").wait_for()
    assert "rl_hub_session" not in {cookie["name"] for cookie in window.page.context.cookies()}


def test_a_token_made_on_the_page_works_in_the_client(window, ada):
    window.sign_in("ada", PASSWORD)
    window.open("/settings/tokens")
    window.page.get_by_label("Name", exact=True).fill("laptop")
    window.page.get_by_label("read only").check()
    window.page.get_by_role("button", name="Create the token").click()
    token = window.page.get_by_text(re.compile(r"^hf_")).inner_text()
    me = HfApi(window.endpoint, token=token).whoami()
    assert (me["name"], me["auth"]["accessToken"]["role"]) == ("ada", "read")


@pytest.mark.parametrize(("button", "outcome"), [("Approve", "I am ada"), ("Deny", "denied")])
def test_the_clients_login_is_decided_on_by_a_click(window, ada, tmp_path, button, outcome):
    program = "from huggingface_hub import login, whoami; login(); print('I am', whoami()['name'])"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING"))}
    environment |= {"HF_ENDPOINT": window.endpoint, "HF_HOME": str(tmp_path / "home"), "HF_HUB_DISABLE_TELEMETRY": "1"}
    with subprocess.Popen(
        [sys.executable, "-u", "-c", program],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as client:
        shown = ""
        while not (found := re.search(rf"{window.endpoint}(/device\?user_code=\S+)", shown)):
            line = client.stdout.readline()
            assert line, shown
            shown += line
        window.open(found.group(1))  # leads to signing in, and back
        window.page.get_by_label("Name").fill("ada")
        window.page.get_by_label("Password").fill(PASSWORD)
        window.page.get_by_role("main").get_by_role("button", name="Sign in").click()
        window.page.get_by_role("button", name="Continue").click()
        assert "huggingface_hub" in window.page.get_by_role("main").inner_text()
        window.page.get_by_role("button", name=button).click()
        window.page.get_by_role("heading", name={"Approve": "Approved", "Deny": "Denied"}[button]).wait_for()
        output = client.communicate(timeout=60)[0]
    assert outcome in output.lower() or outcome in output
