// SPDX-License-Identifier: Apache-2.0

using Weft.Protocols.Http1;
using Weft.Proxy.Stacks;

namespace Weft.Proxy.Filters;

/// <summary>
/// Answers a browser that asks in advance whether a page of another origin may ask, and remembers for the answer that it may (the Fetch
/// standard's CORS).
/// </summary>
internal sealed class ShareAcrossOrigins : Stage
{
    internal override StageResult Apply(Exchange exchange)
    {
        if (exchange.Route!.Actions.Cors is not { } rules)
        {
            return StageResult.Continue;
        }

        var origin = exchange.Origin;
        if (origin.IsEmpty)
        {
            return StageResult.Continue;
        }

        var allowed = rules.Allows(origin);
        var request = exchange.Request;
        var asksInAdvance = request.MethodText.Of(exchange.RequestBytes).SequenceEqual("OPTIONS"u8)
            && request.IndexOf("access-control-request-method"u8, exchange.RequestBytes) >= 0;
        if (!asksInAdvance)
        {
            exchange.Cors = allowed ? rules : null;
            return StageResult.Continue;
        }

        if (!allowed)
        {
            if (rules.ForwardsUnmatched)
            {
                return StageResult.Continue;
            }

            exchange.Answer(Ok, [], [], []);
            return StageResult.Done;
        }

        exchange.Answer(Ok, Lines(rules, origin), [], []);
        return StageResult.Done;
    }

    private const int Ok = 200;

    private static ReadOnlySpan<byte> Lines(CorsRules rules, ReadOnlySpan<byte> origin)
    {
        var name = "access-control-allow-origin: "u8;
        var lines = new byte[name.Length + origin.Length + "\r\n"u8.Length + rules.PreflightLines.Length];
        var writer = new Http1Writer(lines);
        writer.Raw(name);
        writer.Raw(origin);
        writer.Raw("\r\n"u8);
        writer.Raw(rules.PreflightLines);
        return writer.Written;
    }
}
