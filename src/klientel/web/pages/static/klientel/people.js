/* Passkeys, links that sign in at once, and secrets that are copied. */
"use strict";
(() => {
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const known = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

  const create = async (asked) => {
    const key = asked.publicKey;
    const made = await navigator.credentials.create({ publicKey: {
      ...key, challenge: bytes(key.challenge), user: { ...key.user, id: bytes(key.user.id) },
      excludeCredentials: known(key.excludeCredentials),
    } });
    return { id: made.id, rawId: text(made.rawId), type: made.type, response: {
      clientDataJSON: text(made.response.clientDataJSON), attestationObject: text(made.response.attestationObject),
    }, clientExtensionResults: {} };
  };
  const get = async (asked) => {
    const key = asked.publicKey;
    const shown = await navigator.credentials.get({ publicKey: {
      ...key, challenge: bytes(key.challenge), allowCredentials: known(key.allowCredentials),
    } });
    return { id: shown.id, rawId: text(shown.rawId), type: shown.type, response: {
      clientDataJSON: text(shown.response.clientDataJSON), authenticatorData: text(shown.response.authenticatorData),
      signature: text(shown.response.signature),
      userHandle: shown.response.userHandle ? text(shown.response.userHandle) : null,
    }, clientExtensionResults: {} };
  };

  const ask = async (form) => {
    const failed = form.querySelector("[data-passkey-failed]");
    failed.hidden = true;
    try {
      const back = form.querySelector("[name=back]");
      const answer = await fetch(form.dataset.question, {
        method: "POST", credentials: "same-origin", body: new URLSearchParams(back ? { back: back.value } : {}),
        headers: { "X-CSRFToken": form.querySelector("[name=csrfmiddlewaretoken]").value },
      });
      if (answer.redirected) { window.location.assign(answer.url); return; }
      if (!answer.ok) throw new Error(answer.statusText);
      const asked = await answer.json();
      const given = form.dataset.passkey === "create" ? await create(asked) : await get(asked);
      form.querySelector("[name=answer]").value = JSON.stringify(given);
      form.submit();
    } catch (error) {
      failed.hidden = false;
    }
  };

  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-passkey]")) return;
    event.preventDefault();
    ask(event.target);
  });
  document.addEventListener("click", async (event) => {
    const button = event.target instanceof Element && event.target.closest("[data-copy]");
    if (!button) return;
    const place = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(place.value || place.textContent.trim());
      document.getElementById("live").textContent = button.dataset.copied;
      button.textContent = button.dataset.copied;
    } catch (error) {
      if (place.select) place.select();
    }
  });
  const start = () => {
    if (window.PublicKeyCredential) {
      document.querySelectorAll("form[data-passkey]").forEach((form) => { form.hidden = false; });
    } else {
      document.querySelectorAll("form[data-passkey]").forEach((form) => {
        const or = form.nextElementSibling;
        if (or && or.matches(".or")) or.hidden = true;
      });
    }
    document.querySelector("form[data-at-once]")?.requestSubmit();
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start); else start();
})();
