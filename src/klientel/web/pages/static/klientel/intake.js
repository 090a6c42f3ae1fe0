/* Uploads: sent as soon as files are chosen or dropped, with progress; the mapping tells the check when it changed. */
"use strict";
(() => {
  const size = (files) => [...files].reduce((sum, file) => sum + file.size, 0);
  const complain = (form, text) => {
    const place = form.querySelector(".error");
    place.textContent = text;
    place.hidden = !text;
  };

  const send = (form) => {
    const input = form.querySelector("input[type=file]");
    const limit = Number(form.dataset.limit || 0) * 1e6;
    if (!input.files.length) return;
    if (limit && size(input.files) > limit) { complain(form, form.dataset.tooLarge); return; }
    complain(form, "");
    const place = form.querySelector(".sending");
    const bar = place.querySelector("progress");
    place.hidden = false;
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("X-Upload", "1");
    request.setRequestHeader("X-CSRFToken", form.querySelector("[name=csrfmiddlewaretoken]").value);
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) bar.value = Math.round((100 * event.loaded) / event.total);
    });
    request.upload.addEventListener("load", () => bar.removeAttribute("value"));
    const over = () => { place.hidden = true; bar.value = 0; input.value = ""; };
    request.addEventListener("load", () => {
      if (request.status === 200 && request.responseText.startsWith("/")) {
        window.location.assign(request.responseText);
      } else {
        over();
        complain(form, form.dataset.failed || String(request.status));
      }
    });
    request.addEventListener("error", () => { over(); complain(form, form.dataset.failed || ""); });
    request.addEventListener("abort", over);
    form.querySelector("[data-stop-upload]")?.addEventListener("click", () => request.abort(), { once: true });
    request.send(new FormData(form));
  };

  document.addEventListener("change", (event) => {
    const form = event.target instanceof HTMLInputElement && event.target.type === "file"
      && event.target.closest("form[data-upload]");
    if (form) send(form);
  });

  // the keyboard stays where it was when the tables are drawn anew
  let focused = "";
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target instanceof HTMLSelectElement) focused = event.target.id;
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.id !== "sheets" && !(event.detail.elt && event.detail.elt.id === "sheets")) return;
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
    focused = "";
    document.body.dispatchEvent(new CustomEvent("mapped"));
    const usable = !!document.querySelector(".sheets .mapping");
    document.querySelectorAll(".head .actions button").forEach((button) => { button.disabled = !usable; });
  });
})();
