// @ts-check
/** A scanned slip brings its code behind the `#`, which never reaches a server's log. */
const code = decodeURIComponent(location.hash.slice(1));
const field = document.querySelector('input[name="code"]');
if (code && field instanceof HTMLInputElement) {
  field.value = code;
  history.replaceState(null, "", location.pathname);
}
