// The audit: "Follow live" asks for the same search again, and adds the new calls above the old ones.

const EVERY_MS = 2_000;
const MOST_ROWS = 500;

const table = document.getElementById("calls");
const place = document.getElementById("follow");

/** The page as a document. XMLHttpRequest reads HTML without running scripts of it, and needs no text of markup here. */
function load(url) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("GET", url);
    request.responseType = "document";
    request.timeout = 15_000;
    request.onload = () => (request.status === 200 && request.response ? resolve(request.response) : reject(new Error(String(request.status))));
    request.onerror = request.ontimeout = () => reject(new Error("network"));
    request.send();
  });
}

if (place) {
  const body = table?.tBodies[0];
  const button = document.createElement("button");
  const said = document.createElement("span");
  button.type = "button";
  button.textContent = "Follow live";
  button.setAttribute("aria-pressed", "false");
  said.className = "soft small";
  said.setAttribute("role", "status");
  place.append(button, said);

  let timer = 0;
  let added = 0;
  const newest = () => Number(body?.rows[0]?.dataset.sequence ?? 0);

  const step = async () => {
    if (!document.hidden) {
      try {
        const page = await load(location.href);
        const rows = [...page.querySelectorAll("#calls > tbody > tr[data-sequence]")];
        if (!body && rows.length > 0) return location.reload();
        const last = newest();
        const fresh = rows.filter((row) => Number(row.dataset.sequence) > last);
        const { localTimes } = await import(place.dataset.page);
        const taken = fresh.map((row) => document.importNode(row, true));
        if (taken.length > 0) {
          body.prepend(...taken);
          taken.forEach((row) => localTimes(row));
          while (body.rows.length > MOST_ROWS) body.lastElementChild.remove();
          added += taken.length;
        }
        said.textContent = added === 0 ? "Waiting for calls" : `${added} new`;
      } catch (error) {
        said.textContent = error.message === "network" ? "The proxy does not answer; trying again" : "Signed out or failed; reload the page";
      }
    }
    if (button.getAttribute("aria-pressed") === "true") timer = setTimeout(step, EVERY_MS);
    return undefined;
  };
  button.addEventListener("click", () => {
    const follows = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(follows));
    button.textContent = follows ? "Stop following" : "Follow live";
    clearTimeout(timer);
    if (follows) step();
  });
}
