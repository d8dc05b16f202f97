// The git server of the unit tests of git/: the playground's, told to misbehave by lines on stdin.
//
//     node tests/unit/git_server.mjs DIR     serves DIR/repositories/<owner>/<name>.git
//
// Prints "<port> <CA> <CA of somebody else>" when it listens. A line "name=value" sets a property of the server
// ("stall=answer", "refusePush=true"), "requests" asks for the number of requests so far; each is answered by a
// line. Ends when stdin ends.

import { createInterface } from 'node:readline';
import { join } from 'node:path';

import { issueCertificate, makeAuthority } from '../../playground/certificates.mjs';
import { GitServer } from '../../playground/git-server.mjs';

const root = process.argv[2];
const authority = makeAuthority(join(root, 'ca'), 'good');
const stranger = makeAuthority(join(root, 'ca'), 'stranger');
const server = await GitServer.start({
    root: join(root, 'repositories'),
    certificate: issueCertificate(authority, 'server', ['localhost']),
    token: process.env.TEST_TOKEN,
});

// /moved/... is a repository that was renamed, /away/... one that went to another host.
const [answer] = server.https.listeners('request');
server.https.removeAllListeners('request');
server.https.on('request', (request, response) => {
    const [, where, rest] = /^\/(moved|away)\/(.*)$/.exec(request.url) ?? [];
    if (!where) return answer(request, response);
    const host = where === 'moved' ? 'localhost' : '127.0.0.1';
    response.writeHead(301, { location: `https://${host}:${server.port}/acme/${rest}` });
    response.end();
});

console.log(`${server.port} ${authority.certificate} ${stranger.certificate}`);

for await (const line of createInterface({ input: process.stdin })) {
    const [, name, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (name) server[name] = /^\d+$/.test(value) ? Number(value) : { null: null, true: true, false: false }[value] ?? value;
    console.log(line === 'requests' ? server.requests.length : 'done');
}
await server.close();
