/* Lists, forms and boards of records. */
"use strict";
(() => {
  // a link with data-dialog opens that dialog once its content is there; without htmx it is a page of its own
  document.addEventListener("htmx:afterSwap", (event) => {
    const asked = event.detail.requestConfig?.elt?.dataset?.dialog;
    const dialog = asked && document.getElementById(asked);
    if (dialog && !dialog.open) dialog.showModal();
  });

  // what is empty does not go into an address
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form.filters")) return;
    event.target.querySelectorAll("input,select").forEach((field) => { field.disabled = !field.value; });
  });

  // buttons that ask first
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element && event.target.closest("button[data-ask]");
    if (button && !window.confirm(button.dataset.ask)) event.preventDefault();
  });

  // choosers: the hidden input holds the id, the visible one what was typed; arrows, Enter and Escape
  const options = (box) => [...box.querySelectorAll(".options button")];
  const mark = (box, i) => options(box).forEach((b, j, all) => {
    const here = j === (i + all.length) % all.length;
    b.setAttribute("aria-selected", String(here));
    if (here) {
      box.querySelector("input[role=combobox]").setAttribute("aria-activedescendant", b.id);
      b.scrollIntoView({ block: "nearest" });
    }
  });
  const close = (box) => {
    box.querySelector(".options").replaceChildren();
    box.querySelector("input[role=combobox]").setAttribute("aria-expanded", "false");
  };
  const take = (box, button) => {
    box.querySelector("input[type=hidden]").value = button.value;
    box.querySelector("input[role=combobox]").value = button.dataset.label;
    close(box);
  };
  document.addEventListener("input", (event) => {
    const box = event.target.closest?.(".chooser");
    if (box) box.querySelector("input[type=hidden]").value = "";
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    const box = event.target.closest?.(".chooser");
    if (!box) return;
    box.querySelector("input[role=combobox]").setAttribute("aria-expanded", String(options(box).length > 0));
    mark(box, 0);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.(".chooser .options button");
    if (button) take(button.closest(".chooser"), button);
    document.querySelectorAll(".chooser").forEach((box) => { if (!box.contains(event.target)) close(box); });
  });
  document.addEventListener("keydown", (event) => {
    const box = event.target.closest?.(".chooser");
    if (!box || !options(box).length) return;
    const at = options(box).findIndex((b) => b.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      mark(box, at + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Enter" && at >= 0) {
      event.preventDefault();
      take(box, options(box)[at]);
    } else if (event.key === "Escape") {
      event.stopPropagation();
      close(box);
    }
  });

  // the board: a card dragged onto a stage sends the card's own form with that stage
  let dragged = null;
  document.addEventListener("dragstart", (event) => {
    dragged = event.target.closest?.(".board .card[draggable=true]");
    if (dragged) event.dataTransfer.effectAllowed = "move";
  });
  ["dragover", "dragleave", "drop"].forEach((type) => document.addEventListener(type, (event) => {
    const stage = dragged && event.target.closest?.(".board > section");
    if (!stage) return;
    event.preventDefault();
    stage.classList.toggle("over", type === "dragover");
    if (type !== "drop" || stage.contains(dragged)) return;
    const wanted = [...dragged.querySelectorAll("button[name=stage], a[data-stage]")]
      .find((b) => (b.value || b.dataset.stage) === stage.dataset.stage);
    wanted?.click();
  }));
  document.addEventListener("dragend", () => { dragged = null; });
})();
