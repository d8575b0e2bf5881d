// Every page: local times with UTC in the title, buttons to copy, and the dialog in place of the page that it links to.

const two = (number) => String(number).padStart(2, "0");
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** The texts of a local time, by the form that the server chose. */
function local(date, form, now) {
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}`;
  const seconds = `${clock}:${two(date.getSeconds())}`;
  const exact = `${seconds}.${String(date.getMilliseconds()).padStart(3, "0")}`;
  const day = `${date.getDate()} ${MONTHS[date.getMonth()]}`;
  const age = Math.abs(now - date);
  switch (form) {
    case "minute": return clock;
    case "day-minute": return `${day} ${clock}`;
    case "month-day": return day;
    case "exact": return `${day} ${date.getFullYear()} ${exact}`;
    case "day": return `${day} ${date.getFullYear()}`;
    default: {
      const today = age < 86_400_000 && date.toDateString() === now.toDateString();
      const recent = age < 200 * 86_400_000;
      if (today) return seconds;
      if (form === "stamp") return recent ? `${day} ${seconds}` : `${day} ${date.getFullYear()} ${seconds}`;
      return recent ? `${day} ${clock}` : `${day} ${date.getFullYear()}`;
    }
  }
}

/** Shows the times below an element in the time zone of the browser. */
export function localTimes(root) {
  // The server's clock, so that a wrong one here shifts nothing.
  const now = new Date(Number(document.body.dataset.now));
  for (const time of root.querySelectorAll("time[data-form]")) {
    const date = new Date(time.dateTime);
    if (!Number.isNaN(date.valueOf())) time.textContent = local(date, time.dataset.form, now);
  }
}

/** Adds a button to each text that is made to be copied. */
export function copyButtons(root) {
  for (const text of root.querySelectorAll("pre[data-copy]")) {
    if (text.parentElement.querySelector(":scope > .copy")) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.setAttribute("aria-label", `Copy ${text.dataset.copy}`);
    const said = document.createElement("span");
    said.className = "soft small";
    said.setAttribute("role", "status");
    const row = document.createElement("p");
    row.className = "copy actions";
    row.append(button, said);
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(text.textContent);
        said.textContent = "Copied";
      } catch {
        // Pages that are neither local nor sent over TLS have no clipboard.
        getSelection().selectAllChildren(text);
        said.textContent = "Selected; press Ctrl+C";
      }
    });
    text.after(row);
  }
}

/** Opens a dialog in place of the page that has the same form. */
function dialogs() {
  for (const link of document.querySelectorAll("a[data-dialog]")) {
    const dialog = document.getElementById(link.dataset.dialog);
    if (!dialog) continue;
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      dialog.showModal();
    });
  }
}

localTimes(document);
copyButtons(document);
dialogs();
for (const zone of document.querySelectorAll("[data-zone]")) {
  const name = Intl.DateTimeFormat().resolvedOptions().timeZone;
  zone.textContent = `Times in your time zone${name ? ` (${name})` : ""}; UTC on hover`;
}
