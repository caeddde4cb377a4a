// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Filters;

namespace Weft.Proxy.Stacks;

/// <summary>What a request passes on its way out of a workload, in order. Read this first.</summary>
/// <remarks>
/// Before it: <see cref="Listeners.AcceptedConnection"/> chose the listener by the address that the application asked for. After it: as
/// for <see cref="InboundStack"/>.
/// </remarks>
internal static class OutboundStack
{
    internal static Stage[] Build() =>
    [
        // First of all: nobody below may see what a stranger claims to be.
        new DistrustClient(),

        // What cannot be served must cost nothing further.
        new ShedLoad(),

        // Before anything looks at the path: two spellings of one path must not get two answers.
        new NormalizePath(),

        // At gateways: before anything is done for the caller; behind the path's form, which policies are written for. What is refused here learns
        // nothing of what is there.
        new Authorize(),

        // The route decides everything below: faults, rewriting, the weighted choice of a cluster.
        new MatchRoute(),

        // Before anything is done for a request that is one too many.
        new LimitRate(),

        // Behind what this proxy can say by itself, because it takes another one's time. May wait.
        new AskRateLimit(),

        // As soon as the route says how much it takes: what is too much costs nothing below.
        new LimitBody(),

        // Injected trouble first, as if the network had it: also in front of redirects and fixed answers. May wait.
        new InjectFault(),

        // Behind faults, which hit everybody; in front of what asks nobody else, because its answers are read by pages, too.
        new ShareAcrossOrigins(),

        // Redirects and fixed answers need no endpoint.
        new AnswerDirectly(),

        // Path and authority as the server shall see them; after matching, which must see what the client sent.
        new RewriteRequest(),

        // Chooses an endpoint for every try anew, because a retry must be able to go elsewhere; takes the request over.
        new Forward(),
    ];
}
