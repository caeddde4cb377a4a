// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Reading;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;

namespace Weft.Dialects.Istio;

/// <summary>PeerAuthentication: which peers a workload accepts.</summary>
internal static class PeerAuthenticationKind
{
    private static readonly Choices<PeerMode> _modes = new(
        ("UNSET", PeerMode.Unset),
        ("DISABLE", PeerMode.Disable),
        ("PERMISSIVE", PeerMode.Permissive),
        ("STRICT", PeerMode.Strict));

    public static ParsedContent Parse(ObjectContext context)
    {
        context.Root.Ignore("status");

        // Without a spec it is the default for its scope, which is allowed and says nothing.
        var spec = context.Root.Child("spec");
        context.Root.Finish();
        var (mode, selector) = (PeerMode.Unset, (Model.World.LabelSelector?)null);
        var ports = EquatableArray.Create<PeerPortMode>([]);
        if (spec is not null)
        {
            selector = Selectors.Read(spec, "selector");
            mode = spec.Child("mtls") is { } mtls ? ReadMode(mtls) : PeerMode.Unset;
            ports = ReadPorts(spec, selector is not null);
            spec.Finish();
        }

        return new ParsedContent(new PeerIntent(
            context.Origin, context.Metadata.CreatedAt, context.Metadata.Namespace, selector, mode, ports));
    }

    private static PeerMode ReadMode(ObjectReader mtls)
    {
        var mode = mtls.Choice("mode", _modes) ?? PeerMode.Unset;
        mtls.Finish();
        return mode;
    }

    private static EquatableArray<PeerPortMode> ReadPorts(ObjectReader spec, bool hasSelector)
    {
        if (spec.Find("portLevelMtls") is not { } field)
        {
            return [];
        }

        var entries = field.AsMap();
        if (entries.Count == 0)
        {
            field.Report(IstioMessages.EmptyPolicy, field.Path);
        }
        else if (!hasSelector)
        {
            spec.Findings.Add(IstioMessages.PortModesNeedSelector, field.KeyPlace);
        }

        var ports = new List<PeerPortMode>();
        foreach (var (key, value) in entries)
        {
            if (!ushort.TryParse(key, System.Globalization.CultureInfo.InvariantCulture, out var port) || port == 0)
            {
                spec.Findings.Add(ReadingMessages.OutOfRange, value.KeyPlace, value.Path, key, "1", "65535");
            }
            else if (value.AsObject() is { } mtls)
            {
                ports.Add(new PeerPortMode(port, ReadMode(mtls)));
            }
        }

        return ports.OrderBy(entry => entry.Port).ToEquatableArray();
    }
}
