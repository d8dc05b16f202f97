// The Worker: every request of a session goes to the Durable Object of that session, as in the real control plane.
// `/driver/<session>` is the tests' own way in (see control-plane.mjs).

export { Session } from './session.mjs';

export default {
    async fetch(request, env) {
        const session = /^\/(?:sessions|driver)\/([^/]+)/.exec(new URL(request.url).pathname)?.[1];
        if (!session) return Response.json({ error: 'Not found' }, { status: 404 });
        return env.SESSIONS.get(env.SESSIONS.idFromName(decodeURIComponent(session))).fetch(request);
    },
};
