/** Parameters of a URL whose value nobody may see. */
const secretParameters =
  /[?&](?:password|sslpassword|pass|pwd|scram_client_key|scram_server_key|oauth_client_secret)=([^&#]*)/gi;

/**
 * Takes secrets out of a text: the passwords of the URL, `PGPASSWORD`, and whatever stands in a URL in the text; as
 * they are, and percent-encoded. `password` is one that comes from elsewhere.
 */
export function createRedactor(url: string, password = ''): (text: string) => string {
  const secrets = [...new Set([password, ...listSecrets(url)].flatMap(listSpellings))]
    .filter((secret) => secret !== '')
    .sort((a, b) => b.length - a.length);
  return (text) => {
    const withoutUrls = text.replace(/(\w+:\/\/[^\s:/@]*):[^\s]*@/g, '$1:***@');
    return secrets.reduce((rest, secret) => rest.replaceAll(secret, '***'), withoutUrls);
  };
}

function listSecrets(url: string): string[] {
  const secrets = [process.env['PGPASSWORD'] ?? ''];
  const start = url.indexOf('://');
  const end = url.lastIndexOf('@');
  if (start !== -1 && end > start) {
    secrets.push(
      url
        .slice(start + 3, end)
        .split(':')
        .slice(1)
        .join(':'),
    );
  }
  for (const match of url.matchAll(secretParameters)) secrets.push(match[1] ?? '');
  return secrets;
}

/** As it is written, decoded, and encoded as any library may have done it. */
function listSpellings(secret: string): string[] {
  const decoded = decode(secret);
  const encoded = encode(decoded);
  const lower = encoded.replace(/%[0-9A-F]{2}/g, (found) => found.toLowerCase());
  return [secret, decoded, encoded, lower, encoded.replaceAll('%20', '+')];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function encode(text: string): string {
  try {
    return encodeURIComponent(text);
  } catch {
    // Half a surrogate pair has no encoding.
    return text;
  }
}
