// The pages work without this file. With it, code can be copied by a button, and open menus close by themselves.
"use strict";

const SHOWN_MILLISECONDS = 1600;

// navigator.clipboard exists on https and localhost only, and a classroom's Hub is often plain http.
async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "offscreen";
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  if (!copied) throw new Error("The browser does not let this page copy.");
}

function addCopyButton(block) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    const code = block.querySelector("pre");
    try {
      await copy(code.textContent.replace(/\n$/, ""));
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code);
      button.textContent = "Selected";
    }
    status.textContent = button.textContent;
    setTimeout(() => (button.textContent = "Copy"), SHOWN_MILLISECONDS);
  });
  block.append(button);
}

const status = document.createElement("p");
status.className = "offscreen";
status.setAttribute("role", "status");
document.body.append(status);

for (const pre of document.querySelectorAll(".prose pre")) {
  const block = document.createElement("div");
  block.className = "copyable";
  pre.replaceWith(block);
  block.append(pre);
}
document.querySelectorAll(".copyable").forEach(addCopyButton);

const menus = [...document.querySelectorAll("details.menu")];
document.addEventListener("click", (event) => {
  for (const menu of menus) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of menus) {
    if (menu.open && menu.contains(document.activeElement)) menu.querySelector("summary").focus();
    menu.open = false;
  }
});
