// Says what happened when a request of the page did not reach the server or was refused.
(() => {
  const say = (text) => {
    const toasts = document.getElementById("toasts");
    if (!toasts) return;
    const notice = document.createElement("div");
    notice.className = "notice bad";
    notice.textContent = text;
    toasts.replaceChildren(notice);
    setTimeout(() => notice.remove(), 10_000);
  };

  const reasons = {
    403: "You may not do this any more. Reload the page to see what you may do.",
    404: "This is gone: somebody may have removed it. Reload the page.",
    413: "This is too large to be sent.",
    429: "Too many requests in a short time. Wait a minute and try again.",
  };

  // A question's card says itself what became of its answer, and repeats it.
  const saysItself = (event) => (event.detail.requestConfig?.elt ?? event.target).matches?.("[data-answer]");

  document.addEventListener("htmx:sendError", (event) => {
    if (saysItself(event)) return;
    say("The server cannot be reached. What you see stays; try again once you are connected.");
  });
  document.addEventListener("htmx:timeout", (event) => {
    if (!saysItself(event)) say("The server took too long to answer. Try again.");
  });
  document.addEventListener("htmx:responseError", (event) => {
    const status = event.detail.xhr.status;
    if (saysItself(event)) return;
    say(reasons[status] || `The server could not do this (error ${status}). Try again; nothing you entered is lost.`);
  });
})();
