// Passkeys: a form with `data-passkey` asks the browser's authenticator before it is sent, and sends its answer along.
const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

// What the server writes as text the browser takes as bytes, and the other way about.
function opened(options) {
  const made = { ...options, challenge: bytes(options.challenge) };
  if (made.user) made.user = { ...made.user, id: bytes(made.user.id) };
  for (const list of ["excludeCredentials", "allowCredentials"]) {
    if (made[list]) made[list] = made[list].map((one) => ({ ...one, id: bytes(one.id) }));
  }
  return made;
}

function told(credential) {
  const { response } = credential, about = { clientDataJSON: text(response.clientDataJSON) };
  for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (response[name]) about[name] = text(response[name]);
  }
  if (response.getTransports) about.transports = response.getTransports();
  const extensions = credential.getClientExtensionResults();
  return { id: credential.id, rawId: text(credential.rawId), type: credential.type, response: about, clientExtensionResults: extensions };
}

async function ask(form) {
  const answer = await fetch(form.dataset.options, { headers: { Accept: "application/json" }, redirect: "error" });
  const options = await answer.json();
  if (form.dataset.passkey === "create") return navigator.credentials.create({ publicKey: opened(options.creation_options.publicKey) });
  return navigator.credentials.get({ publicKey: opened(options.request_options.publicKey) });
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!globalThis.PublicKeyCredential) continue;
  form.closest(".passkey-only").hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button"), problem = form.querySelector(".err");
    button.disabled = true;
    problem.textContent = "";
    try {
      form.elements.credential.value = JSON.stringify(told(await ask(form)));
    } catch {
      // The person closed the browser's question, or has no passkey for this host; neither says more.
      problem.textContent = form.dataset.failed;
      button.disabled = false;
      button.focus();
      return;
    }
    form.submit();
  });
}
