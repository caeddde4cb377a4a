// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Envoy.Config.Core.V3;
using Envoy.Service.Discovery.V3;
using Google.Protobuf.WellKnownTypes;

namespace Weft.Wire.Ads;

/// <summary>
/// The server's side of one delta ADS stream: no I/O, no clock. Give it requests and plans, send what <see cref="Next"/> returns until
/// it returns null. New things go out before what refers to them, each type after the ACK of the one before; removals come last.
/// Not safe for use by several threads at once.
/// </summary>
public sealed class DeltaServerSession
{
    /// <summary>A response is closed before it grows beyond this, unless a single resource is larger.</summary>
    public const int MaxResponseBytes = 1024 * 1024;

    private static readonly string[] _removalOrder = [TypeUrls.Listener, TypeUrls.RouteTable, TypeUrls.Cluster, TypeUrls.Endpoints, TypeUrls.Secret];

    private readonly Dictionary<string, Subscription> _types =
        TypeUrls.InOrder.ToDictionary(t => t, t => new Subscription(t), StringComparer.Ordinal);

    private EncodedPlan? _target;
    private long _nonce;

    /// <summary>Who the client says it is; null before its first request.</summary>
    public Node? Node { get; private set; }

    /// <summary>The plan that is being brought to the client.</summary>
    public EncodedPlan? Target => _target;

    /// <summary>What the client said when it last refused a response of that type; empty if it took the last one.</summary>
    public string LastError(string typeUrl) => _types.TryGetValue(typeUrl, out var type) ? type.LastError : "";

    public SyncState StateOf(string typeUrl)
    {
        if (!_types.TryGetValue(typeUrl, out var type) || !type.EverSent)
        {
            return SyncState.NotSent;
        }

        var behind = type.OutstandingNonce is not null || type.LastError.Length > 0 || type.Dirty.Any(n => IsPending(type, n));
        return behind ? SyncState.Stale : SyncState.Synced;
    }

    /// <summary>True if nothing is left to send or to be acknowledged.</summary>
    public bool IsIdle => _types.Values.All(t =>
        t.OutstandingNonce is null && !t.OwesAnswer && !t.Dirty.Any(n => IsPending(t, n)));

    /// <summary>Sets a new plan; only what differs from the last one will be sent.</summary>
    public void Update(EncodedPlan plan)
    {
        foreach (var type in _types.Values)
        {
            var before = _target?.Of(type.TypeUrl) ?? [];
            var after = plan.Of(type.TypeUrl);
            if (before != after)
            {
                PlanDiff.AddChangedNames(before.AsSpan(), after.AsSpan(), type.Dirty);
            }
        }

        _target = plan;
    }

    /// <summary>Takes a request. A refusal is the reason to end the stream; null is none.</summary>
    public string? Receive(DeltaDiscoveryRequest request)
    {
        Node ??= request.Node;
        if (!_types.TryGetValue(request.TypeUrl, out var type))
        {
            return $"type {request.TypeUrl} is not served";
        }

        if (request.ResponseNonce.Length > 0 && request.ResponseNonce == type.OutstandingNonce)
        {
            type.OutstandingNonce = null;
            type.LastError = request.ErrorDetail?.Message ?? "";
        }

        var taken = type.Apply(
            request.ResourceNamesSubscribe,
            request.ResourceNamesUnsubscribe,
            request.InitialResourceVersions,
            () => (_target?.Of(type.TypeUrl) ?? []).Select(r => r.Name));
        return taken
            ? null
            : $"more than MaxSubscriptionsPerType ({WireLimits.MaxSubscriptionsPerType}) names of type {request.TypeUrl}";
    }

    /// <summary>The next response to send, or null if there is nothing to send before the client says something.</summary>
    public DeltaDiscoveryResponse? Next()
    {
        if (_target is null)
        {
            return null;
        }

        foreach (var typeUrl in TypeUrls.InOrder)
        {
            var type = _types[typeUrl];
            if (type.OutstandingNonce is not null)
            {
                return null;
            }

            if (type.Active && Additions(type) is { } response)
            {
                return Seal(type, response);
            }
        }

        foreach (var typeUrl in _removalOrder)
        {
            var type = _types[typeUrl];
            if (type.Active && Removals(type) is { } response)
            {
                return Seal(type, response);
            }
        }

        return null;
    }

    private DeltaDiscoveryResponse? Additions(Subscription type)
    {
        var resources = _target!.Of(type.TypeUrl);
        var response = new DeltaDiscoveryResponse { TypeUrl = type.TypeUrl };
        var bytes = 0;
        foreach (var name in type.Dirty.ToList())
        {
            if (!IsPending(type, name))
            {
                type.Dirty.Remove(name);
                continue;
            }

            if (PlanDiff.Find(resources, name) is { } resource)
            {
                if (bytes > 0 && bytes + resource.Body.Length > MaxResponseBytes)
                {
                    break;
                }

                bytes += resource.Body.Length;
                response.Resources.Add(new Resource
                {
                    Name = name,
                    Version = resource.Version,
                    Resource_ = new Any { TypeUrl = type.TypeUrl, Value = resource.Body },
                });
                type.Sent(name, resource.Version);
            }
            else if (type.Asked.Contains(name))
            {
                response.RemovedResources.Add(name);
                type.Removed(name);
            }
            else
            {
                continue;
            }

            type.Asked.Remove(name);
            type.Dirty.Remove(name);
        }

        return response.Resources.Count > 0 || response.RemovedResources.Count > 0 || type.OwesAnswer ? response : null;
    }

    private static DeltaDiscoveryResponse? Removals(Subscription type)
    {
        if (type.Dirty.Count == 0)
        {
            return null;
        }

        // Additions has run: what is left is what the client has and the plan does not.
        var response = new DeltaDiscoveryResponse { TypeUrl = type.TypeUrl };
        foreach (var name in type.Dirty)
        {
            response.RemovedResources.Add(name);
            type.Removed(name);
        }

        type.Dirty.Clear();
        return response;
    }

    private bool IsPending(Subscription type, string name)
    {
        if (_target is null || !type.Follows(name))
        {
            return false;
        }

        return PlanDiff.Find(_target.Of(type.TypeUrl), name) is { } resource
            ? type.Asked.Contains(name) || !type.Has(name, resource.Version)
            : type.Asked.Contains(name) || type.Has(name);
    }

    private DeltaDiscoveryResponse Seal(Subscription type, DeltaDiscoveryResponse response)
    {
        response.Nonce = (++_nonce).ToString(CultureInfo.InvariantCulture);
        response.SystemVersionInfo = response.Nonce;
        type.OutstandingNonce = response.Nonce;
        type.OwesAnswer = false;
        type.EverSent = true;
        return response;
    }
}
