// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Filters;

namespace Weft.Proxy.Stacks;

/// <summary>What a request passes on its way into a workload, in order. Read this first.</summary>
/// <remarks>
/// Before it: <see cref="Listeners.AcceptedConnection"/> chose the chain and ended TLS, so the peer's identity is known and verified.
/// After it: <see cref="Exchange"/> tries, repeats and forwards; <see cref="Exchange.AnswerFailure"/> is the one place where failures become
/// responses; <see cref="Observe"/> counts and logs every exchange at its end, failures included.
/// </remarks>
internal static class InboundStack
{
    internal static Stage[] Build() =>
    [
        // First of all: nobody below may see what a stranger claims to be.
        new DistrustClient(),

        // Who calls, as the peer's proxy says it: read from a connection's first request, before anything may refuse that
        // request, because the names are needed for every later one and in the refusal's metrics, too.
        new KeepPeerNames(),

        // What cannot be served must cost nothing further.
        new ShedLoad(),

        // Before anything looks at the path: two spellings of one path must not get two answers.
        new NormalizePath(),

        // Before anything is done for the caller; behind the path's form, which policies are written for. What is refused here learns
        // nothing of what is there.
        new Authorize(),

        // What is asked for, from the plan that the request began with. Everything below acts on the route.
        new MatchRoute(),

        // Before anything is done for a request that is one too many.
        new LimitRate(),

        // Behind what this proxy can say by itself, because it takes another one's time. May wait.
        new AskRateLimit(),

        // As soon as the route says how much it takes: what is too much costs nothing below.
        new LimitBody(),

        // Redirects and fixed answers need no endpoint.
        new AnswerDirectly(),

        // Path and authority as the application shall see them; after matching, which must see what the client sent.
        new RewriteRequest(),

        // The application, at the address that the client asked for; takes the request over.
        new Forward(),
    ];
}
