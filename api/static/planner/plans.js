// @ts-check
/** The list of plan versions: two ticked boxes make a comparison. */

const form = document.getElementById("compare");
if (form instanceof HTMLFormElement) {
  const button = /** @type {HTMLButtonElement} */ (form.querySelector("button"));
  const chosen = () => [...form.querySelectorAll("input:checked")].map((each) => Number(/** @type {HTMLInputElement} */ (each).value));

  form.addEventListener("change", (event) => {
    const now = chosen();
    if (now.length > 2 && event.target instanceof HTMLInputElement) event.target.checked = false;
    button.disabled = chosen().length !== 2;
  });

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const [newer, older] = chosen().sort((a, b) => b - a);
    location.assign(`${form.dataset.base}/${newer}/compare?to=${older}`);
  });
}
