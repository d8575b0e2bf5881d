// Forms that answer at each keystroke: the same form is sent as by its button, and its answer takes the place of the old one.

const PAUSE_MS = 200;

for (const form of document.querySelectorAll("form[data-answers]")) {
  let timer = 0;
  let request = null;
  const show = async (page) => {
    const { localTimes, copyButtons } = await import(form.dataset.page);
    for (const id of form.dataset.answers.split(" ")) {
      const old = document.getElementById(id);
      const next = page.getElementById(id);
      if (!old || !next) continue;
      old.replaceChildren(...[...next.childNodes].map((node) => document.importNode(node, true)));
      localTimes(old);
      copyButtons(old);
    }
  };
  const send = () => {
    request?.abort();
    request = new XMLHttpRequest();
    request.open("POST", form.getAttribute("action"));
    // HTML is read without running scripts of it, and needs no text of markup here.
    request.responseType = "document";
    request.timeout = 20_000;
    const status = document.getElementById("answer-state");
    const says = (text) => { if (status) status.textContent = text; };
    request.onload = (event) => {
      const page = event.target.response;
      if (!page || !page.getElementById(form.dataset.answers.split(" ")[0])) says("No answer; send the form to see why.");
      else { says("Answers as you type."); show(page); }
    };
    request.onerror = request.ontimeout = () => says("The proxy does not answer.");
    const data = new URLSearchParams(new FormData(form));
    data.set("check", "1");
    request.send(data);
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(send, PAUSE_MS);
  });
  document.getElementById("answer-state")?.replaceChildren("Answers as you type.");
}
