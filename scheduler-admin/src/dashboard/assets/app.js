// Shows what happens as it happens: a page is read again when an event says that something has changed.
"use strict";
(() => {
  const { root, live, reconnecting } = document.body.dataset;
  const state = document.getElementById("live");
  let asked = null;
  let again = null;

  const busy = () => {
    const active = document.activeElement;
    return active && active.closest("main form") && active.matches("input, select, textarea");
  };

  const read = async () => {
    asked = null;
    if (busy()) return later(2000);
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" } });
      if (answer.redirected) return location.assign(answer.url);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const [now, then] = [page.querySelector("main"), document.querySelector("main")];
      if (busy() || !now || !then) return;
      const focused = document.activeElement && document.activeElement.id;
      then.replaceChildren(...now.childNodes);
      if (focused) document.getElementById(focused)?.focus();
      tryAgain();
    } catch {
      later(2000);
    }
  };

  const later = (delay) => {
    if (asked === null) asked = setTimeout(read, delay);
  };

  const tryAgain = () => {
    clearTimeout(again);
    if (document.querySelector("[data-again]")) again = setTimeout(read, 2000);
  };

  const show = (word, name) => {
    state.textContent = word;
    state.className = name;
  };

  if (!window.EventSource || document.querySelector("form.ask")) return;
  const listen = () => {
    const events = new EventSource(root + "events");
    events.onopen = () => {
      show(live, "on");
      // What happened since the page was made, or while nobody listened.
      later(0);
    };
    events.onerror = () => {
      show(reconnecting, "off");
      // Refused: the session may have ended, which the page then says.
      if (events.readyState === EventSource.CLOSED) {
        later(1000);
        setTimeout(listen, 5000);
      }
    };
    for (const name of ["execution", "audit", "reset"]) events.addEventListener(name, () => later(250));
  };
  listen();
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.target.matches("input, select, textarea")) return;
    const search = document.querySelector("input[type=search]");
    if (search) {
      event.preventDefault();
      search.focus();
    }
  });
  tryAgain();
})();
