// The pages work without this file. With it, they follow what happens.
"use strict";

const KINDS = ["received", "queued", "running", "scored", "failed", "certified"];
const MOST_ROWS = 20;
const POLL_MILLISECONDS = 5000;
const REFRESH_MILLISECONDS = 1000;

const list = document.querySelector("[data-live]");

let last = list ? Number(list.dataset.live) : null; // the newest activity that this page knows; null: none yet
let stream = null;
let timer = null;

// Everything in an event is somebody's text, so none of it becomes markup.
function row(event) {
  const item = document.createElement("li");
  item.className = `happening ${event.kind} new`;
  const text = document.createElement(event.submission ? "a" : "span");
  if (event.submission) text.href = `/agents/${Number(event.submission)}`;
  text.textContent = event.sentence;
  const time = document.createElement("time");
  time.dateTime = event.created_at;
  time.textContent = "just now";
  item.append(text, " ", time);
  return item;
}

// At most once a second, and once more for what came in between.
function refresher(assignment) {
  let waiting = false;
  let ready = 0;
  return () => {
    if (waiting) return;
    waiting = true;
    setTimeout(() => {
      waiting = false;
      ready = Date.now() + REFRESH_MILLISECONDS;
      // Looked up anew: what is refreshed puts another element in its place.
      for (const board of document.querySelectorAll("[data-live-board]")) {
        if (board.dataset.liveBoard === assignment) htmx.trigger(board, "refresh");
      }
    }, Math.max(0, ready - Date.now()));
  };
}

const refreshers = new Map();
for (const board of document.querySelectorAll("[data-live-board]")) {
  refreshers.set(board.dataset.liveBoard, refresher(board.dataset.liveBoard));
}

function take(event) {
  if (last !== null && event.id <= last) return;
  last = event.id;
  if (list) {
    list.prepend(row(event));
    while (list.children.length > MOST_ROWS) list.lastElementChild.remove();
  }
  if (event.kind === "received" || event.kind === "scored") refreshers.get(event.assignment)?.();
}

async function poll() {
  try {
    const answer = await fetch(`/live/latest${last === null ? "" : `?after=${last}`}`);
    if (!answer.ok) return;
    const news = await answer.json();
    news.items.forEach(take);
    last = Math.max(last ?? 0, news.last);
  } catch {
    // The network is away; the next attempt may find it again.
  }
}

function startPolling() {
  if (timer !== null) return;
  poll();
  timer = setInterval(poll, POLL_MILLISECONDS);
}

function follow() {
  if (!window.EventSource) return startPolling();
  stream = new EventSource(`/live${last === null ? "" : `?after=${last}`}`);
  for (const kind of KINDS) stream.addEventListener(kind, (message) => take(JSON.parse(message.data)));
  stream.addEventListener("error", () => {
    // The browser comes back by itself after a lost connection, but not after a refusal.
    if (stream && stream.readyState === EventSource.CLOSED) startPolling();
  });
}

function rest() {
  if (stream) stream.close();
  clearInterval(timer);
  stream = timer = null;
}

// A choice for those who hear the page: news is read aloud only if they want it.
function addAnnounceButton() {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "small";
  button.textContent = "Read news aloud";
  button.setAttribute("aria-pressed", "false");
  button.addEventListener("click", () => {
    const isOn = list.getAttribute("aria-live") === "polite";
    list.setAttribute("aria-live", isOn ? "off" : "polite");
    button.setAttribute("aria-pressed", String(!isOn));
  });
  list.after(button);
}

if (list || refreshers.size) {
  if (list) addAnnounceButton();
  // A browser keeps few connections to one site, so pages that nobody looks at give theirs back.
  document.addEventListener("visibilitychange", () => {
    rest();
    if (document.hidden) return;
    // What a board has missed meanwhile is not told again one by one.
    if (last === null) refreshers.forEach((refresh) => refresh());
    follow();
  });
  if (!document.hidden) follow();
}
