// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Reading;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.Plan;

namespace Weft.Dialects.Istio;

/// <summary>redirect: answer with a Location.</summary>
internal static class Redirects
{
    private const int HttpPort = 80;
    private const int HttpsPort = 443;

    private static readonly Choices<int> _schemes = new(("http", HttpPort), ("https", HttpsPort));
    private static readonly Choices<bool> _derivations = new(("FROM_PROTOCOL_DEFAULT", true), ("FROM_REQUEST_PORT", false));

    public static RedirectPlan Read(ObjectReader redirect, EquatableArray<HttpMatch> matches)
    {
        redirect.Exclusive("uri", "prefixRewrite");
        redirect.Exclusive("port", "derivePort");
        var path = redirect.NonEmptyText("uri");
        var prefix = redirect.NonEmptyText("prefixRewrite");
        var authority = redirect.NonEmptyText("authority");
        var schemePort = redirect.Choice("scheme", _schemes);
        var port = redirect.Integer("port", 1, ushort.MaxValue) ?? 0;
        var code = redirect.Integer("redirectCode", 301, 308) ?? 301;
        if (redirect.Find("redirectCode") is { } written && code is > 303 and < 307)
        {
            written.Report(ReadingMessages.UnknownValue, Yaml.YamlReader.Number(code), written.Path, "301, 302, 303, 307, 308");
        }

        if (redirect.Choice("derivePort", _derivations) is true)
        {
            // The default port of a scheme that is not changed is the port that the request came to.
            port = schemePort ?? 0;
        }

        if (prefix is not null && (matches.Count == 0 || matches.Any(match => match.Request.Path.Kind != TextMatchKind.Prefix)))
        {
            redirect.Find("prefixRewrite")!.Value.Report(IstioMessages.PrefixRewriteNeedsPrefix, redirect.Path);
        }

        if (redirect.Mapping.Entries.Count == 0)
        {
            redirect.Findings.Add(IstioMessages.EmptyPolicy, redirect.Place, redirect.Path);
        }

        redirect.Finish();
        return new RedirectPlan(path, prefix, authority, redirect.Text("scheme"), port, code);
    }
}
