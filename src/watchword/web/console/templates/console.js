// Asks the person's device to sign in, and sends what it signed. It decides nothing and keeps nothing.
"use strict";

const button = document.getElementById("passkey");
const told = document.getElementById("told");

if (button) {
  button.disabled = false;
  button.addEventListener("click", async () => {
    button.disabled = true;
    told.className = "";
    told.textContent = "Your device is asking you.";
    try {
      const credential = await navigator.credentials.get({
        publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(JSON.parse(button.dataset.options)),
      });
      const response = await fetch(button.dataset.post, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ nonce: button.dataset.nonce, credential: credential.toJSON() }),
        redirect: "error",
      });
      const answer = await response.json();
      told.textContent = answer.told;
      told.className = response.ok ? "done" : "failed";
      if (response.ok) {
        location.assign(button.dataset.after);
      }
    } catch (error) {
      told.className = "failed";
      told.textContent = `Nobody was signed in (${error.name}). Open this page again to try once more.`;
    }
  });
}
