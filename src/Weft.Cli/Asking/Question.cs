// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Cli.Output;
using Weft.Model;
using Weft.Model.Plan;

namespace Weft.Cli.Asking;

/// <summary>The request that a person asks about, as it stands on the command line.</summary>
/// <param name="From">The client: a pod or a workload.</param>
/// <param name="Host">Whom it calls, as the client would write it.</param>
/// <param name="Port">0 if not said.</param>
/// <param name="Tls">True if the client itself speaks TLS.</param>
/// <param name="Method">In capitals.</param>
/// <param name="Path">With its query.</param>
/// <param name="Headers">Names in lower case.</param>
internal sealed record Question(string From, string Host, int Port, bool Tls, string Method, string Path, EquatableArray<HeaderPlan> Headers)
{
    /// <summary>Reads FROM TO [METHOD [PATH]] and headers as curl takes them.</summary>
    public static Question Read(string from, string to, string? method, string? path, IEnumerable<string> headers)
    {
        // A path may stand where the method would: nobody has a method that begins with a slash.
        if (method is ['/', ..] && path is null)
        {
            (method, path) = (null, method);
        }

        var scheme = to.IndexOf("://", StringComparison.Ordinal);
        var tls = scheme > 0 && to[..scheme] is "https" or "tls";
        var rest = scheme > 0 ? to[(scheme + 3)..] : to;
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        if (slash >= 0)
        {
            path ??= rest[slash..];
            rest = rest[..slash];
        }

        var colon = rest.LastIndexOf(':');
        var port = 0;
        if (colon >= 0 && (!int.TryParse(rest[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out port) || port is 0 or > ushort.MaxValue))
        {
            throw new CommandException(ExitCode.WrongUsage, $"'{to}' has no port between 1 and 65535 after its colon.", "Write  reviews:9080  or  http://reviews:9080/path");
        }

        var host = colon >= 0 ? rest[..colon] : rest;
        if (host.Length == 0)
        {
            throw new CommandException(ExitCode.WrongUsage, $"'{to}' names no host.", "Write a service (reviews, reviews.shop, reviews:9080) or a URL.");
        }

        return new Question(
            from,
            host.ToLowerInvariant(),
            port == 0 && scheme > 0 ? (tls ? 443 : 80) : port,
            tls,
            method?.ToUpperInvariant() ?? "GET",
            path is null ? "/" : path.StartsWith('/') ? path : "/" + path,
            [.. headers.Select(Header)]);
    }

    private static HeaderPlan Header(string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon > 0
            ? new HeaderPlan(text[..colon].Trim().ToLowerInvariant(), text[(colon + 1)..].Trim())
            : throw new CommandException(ExitCode.WrongUsage, $"'{text}' is no header.", "Write  -H 'name: value'");
    }
}
