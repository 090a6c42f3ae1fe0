/* Behaviour that every page shares; nothing here knows what a page is about. No eval, no inline handlers (CSP). */
"use strict";
(() => {
  const root = document.documentElement;
  const on = (type, selector, act) =>
    document.addEventListener(type, (event) => {
      const found = event.target instanceof Element && event.target.closest(selector);
      if (found) act(event, found);
    });

  // light, dark, as the system
  const mode = () => (document.cookie.match(/(?:^|; )mode=(light|dark)/) || [])[1] || "";
  const pressed = () => document.querySelectorAll("[data-mode-button]").forEach((b) =>
    b.setAttribute("aria-pressed", String(b.dataset.modeButton === mode())));
  on("click", "[data-mode-button]", (_, button) => {
    const wanted = button.dataset.modeButton;
    document.cookie = `mode=${wanted};path=/;max-age=${wanted ? 31536000 : 0};samesite=lax`;
    if (wanted) root.dataset.mode = wanted; else delete root.dataset.mode;
    pressed();
  });

  // the rail on narrow screens
  on("click", "[data-toggle]", (_, button) => {
    const open = button.closest(".rail").classList.toggle(button.dataset.toggle);
    button.setAttribute("aria-expanded", String(open));
  });

  // menus close when one looks elsewhere
  document.addEventListener("click", (event) => {
    document.querySelectorAll("details.menu[open],details.whoami[open]").forEach((menu) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    document.querySelectorAll("details.menu[open],details.whoami[open]").forEach((menu) => {
      menu.open = false;
      menu.querySelector("summary").focus();
    });
  });

  // dialogs: data-open="id" opens, data-close closes
  on("click", "[data-open]", (_, button) => document.getElementById(button.dataset.open)?.showModal());
  on("click", "[data-close]", (_, button) => button.closest("dialog")?.close());

  // forms that ask first, and forms that send themselves when a choice is made
  document.addEventListener("submit", (event) => {
    const asked = event.submitter?.dataset.confirm || event.target.dataset.confirm;
    if (asked && !window.confirm(asked)) event.preventDefault();
  });
  on("change", "[data-submit]", (_, field) => field.form.requestSubmit());

  // ticks: one for all, and how many
  const ticks = (scope) => {
    const all = scope.querySelectorAll("input[data-tick]");
    const n = [...all].filter((box) => box.checked).length;
    scope.querySelectorAll("[data-ticked]").forEach((place) => { place.hidden = n === 0; });
    scope.querySelectorAll("[data-ticked-count]").forEach((place) => { place.textContent = String(n); });
    const whole = scope.querySelector("input[data-tick-all]");
    if (whole) { whole.checked = n > 0 && n === all.length; whole.indeterminate = n > 0 && n < all.length; }
  };
  on("change", "input[data-tick-all]", (_, box) => {
    const scope = box.closest("form");
    scope.querySelectorAll("input[data-tick]").forEach((one) => { one.checked = box.checked; });
    ticks(scope);
  });
  on("change", "input[data-tick]", (_, box) => ticks(box.closest("form")));

  // files dropped on a zone go into its input
  const zone = (event) => event.target instanceof Element && event.target.closest(".dropzone");
  ["dragover", "dragleave", "drop"].forEach((type) => document.addEventListener(type, (event) => {
    const place = zone(event);
    if (!place) return;
    event.preventDefault();
    place.classList.toggle("over", type === "dragover");
    const input = place.querySelector("input[type=file]");
    if (type === "drop" && event.dataTransfer.files.length && input) {
      input.files = event.dataTransfer.files;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    }
  }));

  // the palette; nobody waits for it: letters typed before it is there count, and Enter means what was typed last
  const palette = document.getElementById("palette");
  let waiting, asked = 0, busy = false, entered = false, early = "";
  const fill = async (words) => {
    const mine = ++asked;
    busy = true;
    const answer = await fetch(`${palette.dataset.src}?q=${encodeURIComponent(words)}`, {
      headers: { "HX-Request": "true" }, credentials: "same-origin",
    }).catch(() => null);
    const text = answer?.ok ? await answer.text() : "";
    if (mine !== asked) return;
    busy = false;
    if (!text) return;
    const place = palette.querySelector(".found");
    if (!place) {
      palette.innerHTML = text;
      const input = palette.querySelector("input");
      input.focus();
      if (early) { input.value = early; fill(early); return; }
    } else {
      const made = new DOMParser().parseFromString(text, "text/html");
      place.replaceWith(made.querySelector(".found"));
    }
    pick(0);
    if (entered && palette.open) { entered = false; links()[0]?.click(); }
  };
  const links = () => [...palette.querySelectorAll(".found a")];
  const picked = () => links().findIndex((a) => a.getAttribute("aria-selected") === "true");
  const pick = (i) => links().forEach((a, j, all) => {
    const here = j === (i + all.length) % all.length;
    a.setAttribute("aria-selected", String(here));
    if (here) {
      a.scrollIntoView({ block: "nearest" });
      palette.querySelector("input")?.setAttribute("aria-activedescendant", a.id);
    }
  });
  const open = () => {
    if (!palette || palette.open) return;
    clearTimeout(waiting);
    palette.innerHTML = "";
    early = "";
    entered = false;
    palette.showModal();
    fill("");
  };
  on("click", "[data-palette]", open);
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k" && palette) {
      event.preventDefault();
      open();
    }
  });
  palette?.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      pick(picked() + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (busy) entered = true; else links()[picked()]?.click();
    } else if (event.target === palette && event.key.length === 1 && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      early += event.key;
    }
  });
  palette?.addEventListener("input", (event) => {
    clearTimeout(waiting);
    asked += 1;
    busy = true;
    entered = false;
    waiting = setTimeout(() => fill(event.target.value), 120);
  });
  palette?.addEventListener("click", (event) => { if (event.target === palette) palette.close(); });

  document.addEventListener("DOMContentLoaded", pressed);
  pressed();
})();
