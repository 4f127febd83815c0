// The form of the tracing settings: rules are added, removed and moved in place, a key goes back to the file's
// value, and the first fault of a condition is where the cursor is. Without this every button asks the server.

const form = document.getElementById("settings");
const rules = document.getElementById("rules");
const told = document.getElementById("rules-told");
const template = document.getElementById("rule-template");

const PARTS = {up: "Move rule N up", down: "Move rule N down", remove: "Remove rule N"};

/** Numbers, labels and which buttons are of use, by the order of the list. */
function renumber() {
  const items = [...rules.children];
  items.forEach((item, index) => {
    item.querySelector(".tracing-number").textContent = index + 1;
    for (const button of item.querySelectorAll(".tracing-buttons button")) {
      const verb = button.value.split("-")[0];
      button.value = `${verb}-${index + 1}`;
      button.setAttribute("aria-label", PARTS[verb].replace("N", index + 1));
      button.disabled = (verb === "up" && index === 0) || (verb === "down" && index === items.length - 1);
    }
  });
  form.querySelector(".tracing-none").hidden = items.length > 0;
  form.querySelector('[value="reset-sampling.rules"]').hidden = false;
}

function add() {
  rules.append(template.content.cloneNode(true));
  renumber();
  rules.lastElementChild.querySelector("input").focus();
  told.textContent = `Rule ${rules.children.length} was added.`;
}

function remove(item) {
  const next = item.nextElementSibling ?? item.previousElementSibling;
  const number = item.querySelector(".tracing-number").textContent;
  item.remove();
  renumber();
  (next?.querySelector("input") ?? form.querySelector('[value="add-rule"]')).focus();
  told.textContent = `Rule ${number} was removed.`;
}

function move(item, verb, button) {
  const other = verb === "up" ? item.previousElementSibling : item.nextElementSibling;
  if (!other) return;
  if (verb === "up") other.before(item);
  else other.after(item);
  renumber();
  (button.disabled ? item.querySelector(".tracing-buttons button:not(:disabled)") : button).focus();
  told.textContent = `It is rule ${item.querySelector(".tracing-number").textContent} now.`;
}

/** Whether a field has the file's value: numbers are the same however they are written. */
function isAsInFile(field, value) {
  if (field.type === "checkbox") return field.checked === (value === "on");
  if (field.type === "number") return field.value === "" || value === "" ? field.value === value : Number(field.value) === Number(value);
  return field.value === value;
}

function fieldOf(row) {
  return row.querySelector("input, select");
}

function showReset(row) {
  row.querySelector(".tracing-reset").hidden = isAsInFile(fieldOf(row), row.dataset.file);
}

function reset(row) {
  const field = fieldOf(row);
  if (field.type === "checkbox") field.checked = row.dataset.file === "on";
  else field.value = row.dataset.file;
  showReset(row);
  field.focus();
}

form.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const verb = button.value.split("-")[0];
  const item = button.closest("#rules > li");
  const row = button.closest(".tracing-row");
  if (button.value === "add-rule") add();
  else if (item && verb === "remove") remove(item);
  else if (item && (verb === "up" || verb === "down")) move(item, verb, button);
  else if (row && verb === "reset") reset(row);
  else return;
  event.preventDefault();
});

form.addEventListener("input", (event) => {
  const row = event.target.closest(".tracing-row");
  if (row) showReset(row);
  else if (rules.contains(event.target)) renumber();
});

const place = form.querySelector(".tracing-place");
const condition = place?.closest("li.tracing-rule")?.querySelector("textarea");
if (condition) {
  const start = place.querySelector("mark").previousSibling?.textContent.length ?? 0;
  condition.focus();
  condition.setSelectionRange(start, condition.value.length);
}
