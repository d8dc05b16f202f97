// The git server of the unit tests of git/: the playground's, told to misbehave by lines on stdin.
//
//     node tests/unit/git_server.mjs DIR     serves DIR/repositories/<owner>/<name>.git
//
// Prints "<port> <CA> <CA of somebody else> <port of a proxy>" when it listens; the proxy wants user:secret. A line "name=value" sets a property of the server
// ("stall=answer", "refusePush=true"), "requests" asks for the number of requests so far; each is answered by a
// line. Ends when stdin ends.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

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

const PROXY_WANTS = `Basic ${Buffer.from('user:secret').toString('base64')}`;
const proxy = createServer().on('connect', (request, client) => {
    client.on('error', () => {});
    if (request.headers['proxy-authorization'] !== PROXY_WANTS) {
        return client.end('HTTP/1.1 407 no\r\nProxy-Authenticate: Basic realm="x"\r\nConnection: close\r\n' +
            'Content-Length: 0\r\n\r\n');
    }
    const upstream = connect(Number(request.url.split(':')[1]), '127.0.0.1', () => {
        client.write('HTTP/1.1 200 connected\r\n\r\n');
        upstream.pipe(client).pipe(upstream);
    });
    upstream.on('error', () => client.destroy());
});
proxy.listen(0, '127.0.0.1');
await once(proxy, 'listening');

console.log(`${server.port} ${authority.certificate} ${stranger.certificate} ${proxy.address().port}`);

for await (const line of createInterface({ input: process.stdin })) {
    const [, name, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (name) server[name] = /^\d+$/.test(value) ? Number(value) : { null: null, true: true, false: false }[value] ?? value;
    console.log(line === 'requests' ? server.requests.length : 'done');
}
proxy.close();
proxy.closeAllConnections();
await server.close();
