// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Envoy.Config.Core.V3;
using Envoy.Service.Discovery.V3;
using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;

namespace Weft.Wire.Ads;

/// <summary>
/// The server's side of one state-of-the-world ADS stream, for clients that do not speak delta: every response holds all resources that
/// the client follows of a type. No I/O, no clock. New things go out before what refers to them; clusters that are gone stay in the
/// answers until everything else has been acknowledged. Not safe for use by several threads at once.
/// </summary>
public sealed class StateServerSession
{
    private readonly Dictionary<string, Followed> _types =
        TypeUrls.InOrder.ToDictionary(t => t, t => new Followed(t), StringComparer.Ordinal);

    private EncodedPlan? _target;
    private long _nonce;

    /// <summary>Who the client says it is; null before its first request.</summary>
    public Node? Node { get; private set; }

    /// <summary>What the client said when it last refused a response of that type; empty if it took the last one.</summary>
    public string LastError(string typeUrl) => _types.TryGetValue(typeUrl, out var type) ? type.LastError : "";

    /// <summary>True if nothing is left to send or to be acknowledged.</summary>
    public bool IsIdle => _types.Values.All(t => t.OutstandingNonce is null) && (_target is null || NextType() is null);

    /// <summary>Sets a new plan.</summary>
    public void Update(EncodedPlan plan) => _target = plan;

    /// <summary>Takes a request. A refusal is the reason to end the stream; null is none.</summary>
    public string? Receive(DiscoveryRequest request)
    {
        Node ??= request.Node;
        if (!_types.TryGetValue(request.TypeUrl, out var type))
        {
            return $"type {request.TypeUrl} is not served";
        }

        if (request.ResourceNames.Count > WireLimits.MaxSubscriptionsPerType)
        {
            return $"more than MaxSubscriptionsPerType ({WireLimits.MaxSubscriptionsPerType}) names of type {request.TypeUrl}";
        }

        // Only the answer to the last response counts; any other was sent before that one arrived.
        if (request.ResponseNonce.Length > 0 && request.ResponseNonce != type.OutstandingNonce && type.OutstandingNonce is not null)
        {
            return null;
        }

        type.OutstandingNonce = null;
        type.LastError = request.ErrorDetail?.Message ?? "";
        type.Follow(request.ResourceNames, fresh: request.ResponseNonce.Length == 0);
        return null;
    }

    /// <summary>The next response to send, or null if there is nothing to send before the client says something.</summary>
    public DiscoveryResponse? Next()
    {
        if (_target is null || NextType() is not { } next)
        {
            return null;
        }

        var (type, resources) = next;
        var nonce = (++_nonce).ToString(CultureInfo.InvariantCulture);
        var response = new DiscoveryResponse { TypeUrl = type.TypeUrl, Nonce = nonce, VersionInfo = VersionOf(resources) };
        response.Resources.AddRange(resources.Select(r => new Any { TypeUrl = r.TypeUrl, Value = r.Body }));
        type.OutstandingNonce = nonce;
        type.SentVersion = response.VersionInfo;
        type.Sent = resources;
        return response;
    }

    private (Followed Type, List<EncodedResource> Resources)? NextType()
    {
        foreach (var keepOld in (bool[])[true, false])
        {
            foreach (var typeUrl in TypeUrls.InOrder)
            {
                var type = _types[typeUrl];
                if (type.OutstandingNonce is not null)
                {
                    return null;
                }

                var resources = Wanted(type, keepOld);
                if (type.IsActive && type.SentVersion != VersionOf(resources))
                {
                    return (type, resources);
                }
            }
        }

        return null;
    }

    /// <summary>In the first round clusters that the plan has no more are still part of the answer.</summary>
    private List<EncodedResource> Wanted(Followed type, bool keepOld)
    {
        var now = _target!.Of(type.TypeUrl).Where(r => type.Follows(r.Name)).ToList();
        if (!keepOld || type.TypeUrl != TypeUrls.Cluster)
        {
            return now;
        }

        var names = now.Select(r => r.Name).ToHashSet(StringComparer.Ordinal);
        return [.. now.Concat(type.Sent.Where(r => !names.Contains(r.Name))).OrderBy(r => r.Name, StringComparer.Ordinal)];
    }

    private static string VersionOf(List<EncodedResource> resources)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var resource in resources)
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{resource.Name}\n{resource.Version}\n"));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 8));
    }

    /// <summary>What a client follows of one type.</summary>
    private sealed class Followed(string typeUrl)
    {
        private readonly HashSet<string> _names = new(StringComparer.Ordinal);
        private bool _wildcard;

        public string TypeUrl { get; } = typeUrl;

        public bool IsActive { get; private set; }

        public string? OutstandingNonce { get; set; }

        public string? SentVersion { get; set; }

        public string LastError { get; set; } = "";

        /// <summary>What the last response held.</summary>
        public List<EncodedResource> Sent { get; set; } = [];

        public bool Follows(string name) => _wildcard || _names.Contains(name);

        public void Follow(RepeatedField<string> names, bool fresh)
        {
            var changed = !IsActive || fresh || !_names.SetEquals(names);
            _wildcard = (names.Count == 0 && TypeUrl is TypeUrls.Cluster or TypeUrls.Listener) || names.Contains("*");
            IsActive = _wildcard || names.Count > 0;
            _names.Clear();
            _names.UnionWith(names);
            if (changed)
            {
                SentVersion = null;
            }
        }
    }
}
