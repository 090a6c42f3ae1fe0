/* The question of an analysis: a segment shows its two fields. */
"use strict";
(() => {
  const scope = () => document.querySelector("[data-scope]");
  const show = () => {
    const field = scope();
    if (!field) return;
    const on = field.value === "segment";
    document.querySelectorAll("[data-segment]").forEach((place) => {
      place.hidden = !on;
      place.querySelectorAll("select,input").forEach((input) => { input.disabled = !on; });
    });
    if (on) document.getElementById("attribute").dispatchEvent(new Event("segment"));
  };
  document.addEventListener("change", (event) => { if (event.target === scope()) show(); });
  document.addEventListener("DOMContentLoaded", show);
})();
