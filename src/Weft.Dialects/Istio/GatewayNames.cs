// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Reading;
using Weft.Model;
using Weft.Model.Diagnostics;

namespace Weft.Dialects.Istio;

/// <summary>Names of gateways in full (<c>namespace/name</c>); <c>mesh</c> stands for every sidecar.</summary>
internal static class GatewayNames
{
    public static EquatableArray<string> Read(ObjectContext context, ObjectReader owner)
    {
        var names = new List<string>();
        foreach (var (text, field) in owner.Texts("gateways"))
        {
            if (text.Length == 0)
            {
                field.Report(ReadingMessages.EmptyText, field.Path);
                continue;
            }

            var name = InFull(context, text, field);
            if (!names.Contains(name))
            {
                names.Add(name);
            }
        }

        return [.. names];
    }

    private static string InFull(ObjectContext context, string text, Field field)
    {
        if (text is VirtualServiceKind.Mesh || text.Contains('/', StringComparison.Ordinal))
        {
            return text;
        }

        var parts = text.Split('.');
        if (parts.Length == 1)
        {
            return $"{context.Metadata.Namespace}/{text}";
        }

        field.Report(IstioMessages.LegacyGatewayName, text);
        return $"{parts[1]}/{parts[0]}";
    }
}
