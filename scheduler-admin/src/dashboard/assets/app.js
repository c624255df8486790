// Shows what happens as it happens: a page is read again when an event says that something has changed.
"use strict";
(() => {
  const { root, live, reconnecting } = document.body.dataset;
  const state = document.getElementById("live");
  let asked = null;
  let again = null;

  // A form that somebody fills in stays as it is; that of a live filter is read again with what it says.
  const busy = () => {
    const active = document.activeElement;
    const form = active && active.matches("input, select, textarea") && active.closest("main form");
    return form && !form.matches("[data-filter]");
  };

  // What only a script can do is told only by one.
  const hint = () => document.querySelectorAll("[data-hint]").forEach((field) => (field.placeholder = field.dataset.hint));

  // What is put in place of the old content looks as that did: what was focused, typed, marked and scrolled.
  const replace = (then, now) => {
    const active = document.activeElement;
    const kept = active && active.id && { id: active.id, value: active.value, at: active.selectionStart };
    const scrolled = [...then.querySelectorAll(".wide[id]")].map(({ id, scrollLeft }) => [id, scrollLeft]);
    then.replaceChildren(...now.childNodes);
    then.toggleAttribute("data-again", now.hasAttribute("data-again"));
    hint();
    for (const [id, left] of scrolled) {
      const part = document.getElementById(id);
      if (part) part.scrollLeft = left;
    }
    const part = kept && document.getElementById(kept.id);
    if (!part) return;
    part.focus({ preventScroll: true });
    if (part.matches("input[type=search]")) {
      part.value = kept.value;
      part.setSelectionRange(kept.at, kept.at);
    }
  };

  const read = async () => {
    asked = null;
    if (busy()) return later(2000);
    const wanted = location.href;
    try {
      const answer = await fetch(wanted, { headers: { accept: "text/html" } });
      if (answer.redirected) return location.assign(answer.url);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const [now, then] = [page.querySelector("main"), document.querySelector("main")];
      if (busy() || !now || !then) return;
      // What was typed meanwhile asks for another page.
      if (wanted !== location.href) return later(0);
      replace(then, now);
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

  document.addEventListener("input", (event) => {
    const form = event.target.closest("form[data-filter]");
    if (!form) return;
    const given = [...new FormData(form)].filter(([, value]) => value !== "");
    history.replaceState(null, "", "?" + new URLSearchParams(given));
    later(150);
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input, select, textarea")) return;
    const search = document.querySelector("main input[type=search]");
    if (search) {
      event.preventDefault();
      search.focus();
      search.select();
    }
  });

  hint();
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
  tryAgain();
})();
