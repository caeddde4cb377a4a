// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Envoy.Config.Core.V3;
using Envoy.Service.Discovery.V3;
using Google.Rpc;
using Weft.Model.Plan;
using Weft.Wire.Plans;

namespace Weft.Wire.Ads;

/// <summary>
/// The client's side of delta ADS over any number of streams: no I/O, no clock. Send what <see cref="Connect"/> and
/// <see cref="Receive"/> return, in order. <see cref="Plan"/> is the last plan of which every part had arrived; a refused resource
/// keeps its last good version. Not safe for use by several threads at once.
/// </summary>
public sealed class DeltaClientSession(Node node)
{
    private const int InvalidArgument = 3;

    private readonly Dictionary<string, HeldResources> _types =
        TypeUrls.InOrder.ToDictionary(t => t, t => new HeldResources(t), StringComparer.Ordinal);

    /// <summary>The plan to serve; null before the first complete one. No plan, no traffic.</summary>
    public ProxyPlan? Plan { get; private set; }

    /// <summary>Grows with every new <see cref="Plan"/>.</summary>
    public long Generation { get; private set; }

    /// <summary>Errors (which were refused) and warnings of the last response that was received.</summary>
    public ImmutableArray<WireProblem> Errors { get; private set; } = [];

    public ImmutableArray<WireProblem> Warnings { get; private set; } = [];

    /// <summary>Names of what is referred to and has not come yet: why there is no new plan.</summary>
    public IEnumerable<string> Missing =>
        _types.Values.Where(t => !t.Answered && t.IsWildcard).Select(t => TypeUrls.ShortName(t.TypeUrl))
            .Concat(_types.Values.SelectMany(t => t.Missing.Select(n => $"{TypeUrls.ShortName(t.TypeUrl)} {n}")));

    /// <summary>The version of a resource that is in force; null if there is none.</summary>
    public string? VersionOf(string typeUrl, string name) => _types[typeUrl].VersionOf(name);

    /// <summary>Starts from a plan kept on disk, so that it serves before and without a control plane.</summary>
    public bool Seed(EncodedPlan cached)
    {
        if (!PlanDecoder.Decode(cached.All).Errors.IsEmpty)
        {
            return false;
        }

        foreach (var resource in cached.All)
        {
            var part = PlanDecoder.Decode(resource.TypeUrl, resource.Name, resource.Body).Part!;
            _types[resource.TypeUrl].Put(resource.Name, resource.Version, part);
        }

        _ = Follow(TypeUrls.Cluster);
        _ = Follow(TypeUrls.Listener);
        Publish();
        return true;
    }

    /// <summary>The first requests of a new stream, with the versions that are held, so that only what changed is sent.</summary>
    public IReadOnlyList<DeltaDiscoveryRequest> Connect()
    {
        var requests = new List<DeltaDiscoveryRequest>();
        foreach (var type in _types.Values)
        {
            if (!type.IsWildcard && type.Wanted.Count == 0)
            {
                continue;
            }

            var request = new DeltaDiscoveryRequest { TypeUrl = type.TypeUrl };
            if (requests.Count == 0)
            {
                request.Node = node;
            }

            if (!type.IsWildcard)
            {
                request.ResourceNamesSubscribe.AddRange(type.Wanted.Order(StringComparer.Ordinal));
            }

            foreach (var (name, version) in type.Versions)
            {
                request.InitialResourceVersions.Add(name, version);
            }

            requests.Add(request);
        }

        return requests;
    }

    /// <summary>Takes a response; the result is what to send: changed subscriptions first, the ACK or NACK last.</summary>
    public IReadOnlyList<DeltaDiscoveryRequest> Receive(DeltaDiscoveryResponse response)
    {
        var requests = new List<DeltaDiscoveryRequest>();
        Warnings = [];
        if (!_types.TryGetValue(response.TypeUrl, out var type))
        {
            Errors = [new WireProblem(response.TypeUrl, "", "", "this type was not asked for")];
        }
        else
        {
            Errors = Take(type, response);
            requests.AddRange(Follow(type.TypeUrl));
        }

        var answer = new DeltaDiscoveryRequest { TypeUrl = response.TypeUrl, ResponseNonce = response.Nonce };
        if (!Errors.IsEmpty)
        {
            answer.ErrorDetail = new Status { Code = InvalidArgument, Message = Describe(Errors) };
        }

        requests.Add(answer);
        if (!Missing.Any())
        {
            Publish();
        }

        return requests;
    }

    /// <summary>Serves what has come even though parts are missing; for when waiting for them has taken too long.</summary>
    public void PublishIncomplete() => Publish();

    private ImmutableArray<WireProblem> Take(HeldResources type, DeltaDiscoveryResponse response)
    {
        var errors = ImmutableArray.CreateBuilder<WireProblem>();
        var warnings = ImmutableArray.CreateBuilder<WireProblem>();
        foreach (var resource in response.Resources)
        {
            if (type.Count >= WireLimits.MaxResourcesPerType && type.VersionOf(resource.Name) is null)
            {
                errors.Add(new WireProblem(
                    type.TypeUrl, resource.Name, "", $"more than MaxResourcesPerType ({WireLimits.MaxResourcesPerType}) resources"));
                continue;
            }

            if (resource.Resource_ is null || resource.Resource_.TypeUrl != type.TypeUrl)
            {
                errors.Add(new WireProblem(type.TypeUrl, resource.Name, "", $"its type is {resource.Resource_?.TypeUrl ?? "missing"}"));
                type.Refuse(resource.Name);
                continue;
            }

            var decoded = PlanDecoder.Decode(type.TypeUrl, resource.Name, resource.Resource_.Value);
            errors.AddRange(decoded.Errors);
            warnings.AddRange(decoded.Warnings);
            if (decoded.Part is { } part)
            {
                type.Put(resource.Name, resource.Version, part);
            }
            else
            {
                type.Refuse(resource.Name);
            }
        }

        foreach (var name in response.RemovedResources)
        {
            type.Remove(name);
        }

        type.Answered = true;
        Warnings = warnings.ToImmutable();
        return errors.ToImmutable();
    }

    /// <summary>Clusters name endpoints, listeners name route tables, both name secrets: subscribes to what is named now.</summary>
    private List<DeltaDiscoveryRequest> Follow(string changed)
    {
        var requests = changed switch
        {
            TypeUrls.Cluster => [Want(TypeUrls.Endpoints, Clusters.Where(c => c.Kind == ClusterKind.Eds).Select(c => c.Name)), WantSecrets()],
            TypeUrls.Listener => [Want(TypeUrls.RouteTable, Listeners.SelectMany(NamedBy.RouteTables)), WantSecrets()],
            _ => (DeltaDiscoveryRequest?[])[],
        };
        return [.. requests.OfType<DeltaDiscoveryRequest>()];
    }

    private IEnumerable<ClusterPlan> Clusters => _types[TypeUrls.Cluster].Parts.Cast<ClusterPlan>();

    private IEnumerable<ListenerPlan> Listeners => _types[TypeUrls.Listener].Parts.Cast<ListenerPlan>();

    private DeltaDiscoveryRequest? WantSecrets() =>
        Want(TypeUrls.Secret, Clusters.SelectMany(NamedBy.Secrets).Concat(Listeners.SelectMany(NamedBy.Secrets)));

    private DeltaDiscoveryRequest? Want(string typeUrl, IEnumerable<string> names)
    {
        var type = _types[typeUrl];
        var wanted = new HashSet<string>(StringComparer.Ordinal);
        wanted.UnionWith(names);
        var (added, dropped) = type.Want(wanted);
        if (added.Count == 0 && dropped.Count == 0)
        {
            return null;
        }

        var request = new DeltaDiscoveryRequest { TypeUrl = type.TypeUrl };
        request.ResourceNamesSubscribe.AddRange(added);
        request.ResourceNamesUnsubscribe.AddRange(dropped);
        return request;
    }

    private void Publish()
    {
        var plan = new ProxyPlan(
            _types[TypeUrls.Listener].Sorted<ListenerPlan>(),
            _types[TypeUrls.RouteTable].Sorted<RouteTablePlan>(),
            _types[TypeUrls.Cluster].Sorted<ClusterPlan>(),
            _types[TypeUrls.Endpoints].Sorted<EndpointsPlan>())
        {
            Secrets = _types[TypeUrls.Secret].Sorted<SecretPlan>(),
        };
        if (Plan is null || _types.Values.Any(t => t.Changed))
        {
            Plan = plan;
            Generation++;
        }

        foreach (var type in _types.Values)
        {
            type.Changed = false;
        }
    }

    private static string Describe(ImmutableArray<WireProblem> errors)
    {
        var listed = string.Join("; ", errors.Take(WireLimits.MaxProblemsPerNack));
        var more = errors.Length - WireLimits.MaxProblemsPerNack;
        return more > 0 ? $"{listed}; and {more} more" : listed;
    }
}
