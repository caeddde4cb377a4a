// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Protocols.Http1;
using Weft.Proxy.Stacks;

namespace Weft.Proxy.Filters;

/// <summary>Brings the path into the form that routes and policies are written for; everybody behind sees only that one.</summary>
internal sealed class NormalizePath : Stage
{
    internal override StageResult Apply(Exchange exchange)
    {
        var chain = exchange.Service;
        if (!PathNormalizer.TryNormalize(exchange.EditableHead, exchange.Request, chain.PathRules, out var slashesDecoded))
        {
            exchange.AnswerFailure(new Failure(FailureKind.BadPath));
            return StageResult.Done;
        }

        if (slashesDecoded && chain.Plan.Path.EscapedSlashes == EscapedSlashes.Redirect)
        {
            Redirect(exchange);
            return StageResult.Done;
        }

        return StageResult.Continue;
    }

    /// <summary>The client is to ask for what it means; a path alone keeps its scheme and host (RFC 9110 10.2.2).</summary>
    private static void Redirect(Exchange exchange)
    {
        const int TemporaryRedirect = 307;
        var bytes = exchange.RequestBytes;
        var request = exchange.Request;
        var line = new byte["location: "u8.Length + request.Target.Length + "\r\n"u8.Length];
        var writer = new Http1Writer(line);
        writer.Raw("location: "u8);

        // Two slashes in front would name a host.
        var path = request.PathOf(bytes);
        writer.Raw(path[(path.IndexOfAnyExcept((byte)'/') is var first and > 1 ? first - 1 : 0)..]);
        if (request.HasQuery)
        {
            writer.Raw("?"u8);
            writer.Raw(request.Query.Of(bytes));
        }

        writer.Raw("\r\n"u8);
        exchange.Answer(TemporaryRedirect, writer.Written, [], []);
    }
}
