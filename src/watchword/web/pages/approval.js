// Asks the person's device, and sends what it signed. It decides nothing and keeps nothing.
"use strict";

const told = document.getElementById("told");

async function send(address, value) {
  const response = await fetch(address, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(value),
    redirect: "error",
  });
  const answer = await response.json();
  told.textContent = answer.told;
  told.className = response.ok ? "done" : "failed";
}

async function ask(work) {
  const buttons = document.querySelectorAll("button");
  buttons.forEach((one) => { one.disabled = true; });
  told.className = "";
  told.textContent = "Your device is asking you.";
  try {
    await work();
  } catch (error) {
    told.className = "failed";
    told.textContent = `Nothing was signed (${error.name}).`;
  }
  if (told.className !== "done") {
    buttons.forEach((one) => { one.disabled = false; });
  }
}

const answers = document.getElementById("answers");
if (answers) {
  for (const button of answers.querySelectorAll("button")) {
    button.addEventListener("click", () => ask(async () => {
      const options = JSON.parse(answers.dataset.options);
      options.challenge = button.dataset.challenge;
      const credential = await navigator.credentials.get({
        publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options),
      });
      await send(answers.dataset.post, { answer: button.dataset.answer, credential: credential.toJSON() });
    }));
  }
}

const register = document.getElementById("register");
if (register) {
  register.addEventListener("click", () => ask(async () => {
    const options = JSON.parse(register.dataset.options);
    const credential = await navigator.credentials.create({
      publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options),
    });
    await send(register.dataset.post, credential.toJSON());
  }));
}
