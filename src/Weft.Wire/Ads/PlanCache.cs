// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Envoy.Service.Discovery.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Weft.Wire.Ads;

/// <summary>A plan as a file, so that a restarted proxy serves while the control plane is away.</summary>
public static class PlanCache
{
    private const string Mark = "weft-plan-1";

    /// <summary>The bytes to keep.</summary>
    public static byte[] Write(EncodedPlan plan)
    {
        var file = new DeltaDiscoveryResponse { SystemVersionInfo = Mark };
        // Without its control plane a proxy that starts again has no certificates of the operator's: better than keys on a disk.
        foreach (var resource in plan.All.Where(r => r.TypeUrl != TypeUrls.Secret))
        {
            file.Resources.Add(new Resource
            {
                Name = resource.Name,
                Version = resource.Version,
                Resource_ = new Any { TypeUrl = resource.TypeUrl, Value = resource.Body },
            });
        }

        // Last on purpose: a file that was cut short does not end with it.
        file.Nonce = Mark;
        return file.ToByteArray();
    }

    /// <summary>Null if the bytes are no kept plan.</summary>
    public static EncodedPlan? Read(ReadOnlySpan<byte> bytes)
    {
        DeltaDiscoveryResponse file;
        try
        {
            file = DeltaDiscoveryResponse.Parser.ParseFrom(bytes);
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }

        if (file.SystemVersionInfo != Mark || file.Nonce != Mark || file.Resources.Any(r => r.Resource_ is null))
        {
            return null;
        }

        var types = file.Resources.ToLookup(r => r.Resource_.TypeUrl, StringComparer.Ordinal);
        return new EncodedPlan(
            Of(types, TypeUrls.Cluster), Of(types, TypeUrls.Endpoints), Of(types, TypeUrls.Listener), Of(types, TypeUrls.RouteTable));
    }

    private static ImmutableArray<EncodedResource> Of(ILookup<string, Resource> types, string typeUrl) =>
    [
        .. types[typeUrl]
            .Select(r => new EncodedResource(typeUrl, r.Name, r.Version, r.Resource_.Value))
            .OrderBy(r => r.Name, StringComparer.Ordinal),
    ];
}
