// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Network;

/// <summary>A host port and the port of a Service that it leads to, as the Service's annotation <see cref="Annotation"/> lists them.</summary>
public sealed record PublishedPort(int Host, int Port)
{
    /// <summary>Entries of <c>HOST:PORT</c> or <c>PORT</c>, with commas between them.</summary>
    public const string Annotation = "weft.dev/publish";

    public static bool TryParse(string text, [NotNullWhen(true)] out PublishedPort? published)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        published = IsPort(text[(colon + 1)..], out var port) && IsPort(colon < 0 ? text : text[..colon], out var host)
            ? new PublishedPort(host, port)
            : null;
        return published is not null;
    }

    /// <summary>What a Service asks for; entries that are none are left out.</summary>
    public static IEnumerable<PublishedPort> Of(JsonObject service)
    {
        foreach (var entry in (service.Annotation(Annotation) ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (TryParse(entry, out var published))
            {
                yield return published;
            }
        }
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Host}:{Port}");

    private static bool IsPort(string text, out int port) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is > 0 and < 65536;
}
