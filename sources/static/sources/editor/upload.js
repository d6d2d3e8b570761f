/** Sending a file to the server, with its progress. */

/**
 * @param {string} address
 * @param {File} file
 * @param {(part: number) => void} progress
 * @returns {Promise<{id: string, name: string, size: number}>} throws Error
 */
export function upload(address, file, progress) {
  const request = new XMLHttpRequest();
  request.open("POST", `${address}?name=${encodeURIComponent(file.name)}`);
  request.setRequestHeader("X-CSRFToken", document.querySelector("[name=csrfmiddlewaretoken]").value);
  request.setRequestHeader("Accept", "application/json");
  request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
  request.upload.addEventListener("progress", (event) => progress(event.loaded / event.total));
  return new Promise((resolve, reject) => {
    request.addEventListener("error", () => reject(new Error("The file could not be sent: the service does not answer.")));
    request.addEventListener("load", () => {
      const answer = parsed(request.responseText);
      if (request.status === 201) resolve(answer);
      else reject(new Error(answer?.fields?.file?.[0] ?? answer?.detail ?? `The service answered with status ${request.status}.`));
    });
    request.send(file);
  });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
