// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Google.Protobuf;
using Weft.Model.Plan;

namespace Weft.Wire.Plans;

/// <summary>
/// Plan → xDS resources. Parts that are the same object are encoded once, so plans that share parts cost what they do not share.
/// Safe for use by several threads.
/// </summary>
public sealed class PlanEncoder
{
    private const int VersionBytes = 8;

    private readonly ConditionalWeakTable<object, EncodedResource> _encoded = [];

    /// <summary>Every part of the plan as a resource, sorted by name.</summary>
    public EncodedPlan Encode(ProxyPlan plan) => new(
        EncodeAll(plan.Clusters.AsSpan(), static c => Seal(TypeUrls.Cluster, c.Name, ClusterEncoder.Encode(c))),
        EncodeAll(plan.Endpoints.AsSpan(), static e => Seal(TypeUrls.Endpoints, e.Cluster, EndpointsEncoder.Encode(e))),
        EncodeAll(plan.Listeners.AsSpan(), static l => Seal(TypeUrls.Listener, l.Name, ListenerEncoder.Encode(l))),
        EncodeAll(plan.RouteTables.AsSpan(), static t => Seal(TypeUrls.RouteTable, t.Name, RouteEncoder.Encode(t))))
    {
        Secrets = EncodeAll(plan.Secrets.AsSpan(), static s => Seal(TypeUrls.Secret, s.Name, SecretCodec.Encode(s))),
    };

    private ImmutableArray<EncodedResource> EncodeAll<T>(ReadOnlySpan<T> parts, Func<T, EncodedResource> encode)
        where T : class
    {
        var resources = ImmutableArray.CreateBuilder<EncodedResource>(parts.Length);
        foreach (var part in parts)
        {
            if (!_encoded.TryGetValue(part, out var resource))
            {
                resource = _encoded.GetValue(part, p => encode((T)p));
            }

            resources.Add(resource);
        }

        if (!IsSorted(resources))
        {
            resources.Sort(static (a, b) => string.CompareOrdinal(a.Name, b.Name));
        }

        return resources.MoveToImmutable();
    }

    /// <summary>Plans are sorted already; looking is a tenth of sorting, and this is done for every proxy.</summary>
    private static bool IsSorted(ImmutableArray<EncodedResource>.Builder resources)
    {
        for (var i = 1; i < resources.Count; i++)
        {
            if (string.CompareOrdinal(resources[i - 1].Name, resources[i].Name) > 0)
            {
                return false;
            }
        }

        return true;
    }

    private static EncodedResource Seal(string typeUrl, string name, IMessage message)
    {
        var body = message.ToByteString();
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(body.Span, hash);
        return new EncodedResource(typeUrl, name, Convert.ToHexStringLower(hash[..VersionBytes]), body);
    }
}
