/** For a person who opened a signed link: a GET must change nothing, since mail scanners open links too. */
export function confirmPage(workflowId: string): string {
  return page(
    'Confirm',
    `<p>A run of <b>${escape(workflowId)}</b> waits for this.</p><form method="post"><button>Confirm</button></form>`,
  );
}

export function donePage(): string {
  return page('Done', '<p>Thank you. You can close this page.</p>');
}

function page(title: string, body: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex"><title>${title}</title>
<style>body{font:16px system-ui;max-width:30em;margin:4em auto;padding:0 1em}button{font:inherit;padding:.5em 1.5em}</style>
<h1>${title}</h1>${body}</html>
`;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escape = (text: string): string => text.replace(/[&<>"]/g, (found) => ENTITIES[found] ?? found);
