// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Weft.Kubernetes;
using Weft.Local.Agent;
using Weft.Local.Capture;
using Weft.Local.Dns;
using Weft.Local.Machines;
using Weft.Local.Network;
using Weft.Local.Processes;
using Weft.Local.Relays;
using Weft.Local.Serving;

namespace Weft.Local;

/// <summary>
/// The node, inside its namespaces (see <see cref="Weft.Local.Outside.Sandbox"/>): brings the network up, keeps the API server and the
/// control plane running, and runs pods.
/// </summary>
public sealed partial class LocalNode(LocalNodeOptions options)
{
    private readonly KeepRunning _keep = new(options.Time, options.Log);

    /// <summary>Runs until cancelled or until the outer side asks for an end or dies.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(ct);
        Lifeline.Watch(stopping.Cancel);

        // Before the network: the API server takes its time to start and needs nothing of it but loopback.
        using var children = new ChildPrograms(options, _keep);
        try
        {
            SetUpFolders();
            await NodeNetwork.SetUpAsync(options.Nodes, stopping.Token);
            LogNetworkUp(options.Log, NodeNetwork.PodRange, NodeNetwork.ServiceRange);
            await RunLoopsAsync(stopping.Token);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Asked to end while still beginning.
        }
        finally
        {
            await children.StopAsync();
        }

        LogStopped(options.Log);
    }

    private void SetUpFolders()
    {
        try
        {
            NodeFolders.SetUp(options.Home.Run);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Containers do without termination messages and tokens at the usual places then; all else works.
            LogFolders(options.Log, e.Message);
        }
    }

    private async Task RunLoopsAsync(CancellationToken ct)
    {
        using var client = new KubernetesClient($"unix:{options.Home.ApiSocket}");
        var pods = Follow(client, Kinds.Pod);
        var services = Follow(client, Kinds.Service);
        var slices = Follow(client, Kinds.EndpointSlice);
        var entries = Follow(client, Kinds.ServiceEntry, isOptional: true);
        Signal toRouter = new(), toNames = new(), toEntries = new(), toForwards = new();
        var asking = new DnsClients();
        pods.Changed += asking.Apply;
        entries.Changed += _ => toEntries.Set();
        foreach (var informer in new[] { services, slices })
        {
            informer.Changed += _ =>
            {
                toRouter.Set();
                toNames.Set();
                toForwards.Set();
            };
        }

        var capture = new NftCapture();
        var groups = ResourceGroups.Open();
        LogGroups(options.Log, groups.Exist ? "used" : groups.Problem);
        var scenes = options.Nodes.ToDictionary(
            n => n.Name,
            n => new PodScene(client, options, n, new AddressPool(options.Time, n), capture) { Groups = groups, Slices = slices },
            StringComparer.Ordinal);
        var agent = new NodeAgent(scenes, options, pods);
        var heartbeats = new NodeHeartbeats(client, agent, pods, options);
        var dns = new DnsServer(
            [.. Own(NodeNetwork.DnsAddress, NodeNetwork.DnsAddress6, 53)], Upstream(), asking, new Random(options.Random.Next()), options.Log);
        var router = new ServiceRouter(services, slices, options.Nodes, options.Time, options.Log);
        var stats = new NodeStats(agent, options);
        var api = new NodeApi(agent, stats, () => Status(agent, capture), options);
        NodeLoop[] loops =
        [
            new("pods informer", pods.RunAsync),
            new("services informer", services.RunAsync),
            new("endpoints informer", slices.RunAsync),
            new("entries informer", entries.RunAsync),
            new("node API", api.RunAsync),
            new("relay", RelayAsync),
            new("API address", ApiAddressAsync),
            new("service addresses", token => router.RunAsync(toRouter, token)),
            new("DNS", dns.RunAsync),
            new("DNS names", token => FeedNamesAsync(dns, services, slices, toNames, token)),
            new("DNS entries", token => FeedEntriesAsync(dns, entries, toEntries, token)),
            new("node agent", agent.RunAsync),
            new("nodes", heartbeats.RunAsync),
            new("measuring", stats.RunAsync),
            .. options.Joined is { } joined ? JoinedLoops(client, agent, joined) : FirstLoops(client, agent, services, toForwards),
            .. options.Loops,
        ];
        await Task.WhenAll(loops.Select(loop => _keep.LoopAsync(loop, ct)));
        groups.Close();
    }

    /// <summary>What the machine with the control plane does beside running pods.</summary>
    private IEnumerable<NodeLoop> FirstLoops(KubernetesClient client, NodeAgent agent, Informer services, Signal toForwards)
    {
        var configMaps = Follow(client, Kinds.ConfigMap);
        var secrets = Follow(client, Kinds.Secret);
        configMaps.Changed += change => agent.Refresh(Kinds.ConfigMap, change);
        secrets.Changed += change => agent.Refresh(Kinds.Secret, change);
        var forwards = new ForwardPublisher(services, client, options.Home, options.Time, options.Log);
        yield return new("config maps informer", configMaps.RunAsync);
        yield return new("secrets informer", secrets.RunAsync);
        yield return new("host ports", token => forwards.RunAsync(toForwards, token));
        if (options.TakesMachines)
        {
            yield return new("links", new PacketLinks(client, options).ServeAsync);
        }
    }

    private IEnumerable<NodeLoop> JoinedLoops(KubernetesClient client, NodeAgent agent, Machine machine) =>
    [
        new("link", new PacketLinks(client, options).DialAsync),
        new("certificate", new CertificateRenewal(client, options.Home, machine, options.Time, options.Log).RunAsync),
        new("agent's port", token => AgentDoor.RunAsync(options, token)),
        new("config maps and secrets", new NamedObjects(client, agent, options).RunAsync),
    ];

    private Informer Follow(KubernetesClient client, ResourceKind kind, bool isOptional = false)
    {
        // A short first delay: at start the API server is not there for a moment, and every start waits for this.
        var informer = new Informer(client, kind, options.Time, new InformerOptions
        {
            OptionalKind = isOptional,
            FirstDelay = TimeSpan.FromMilliseconds(20),
            MaxDelay = TimeSpan.FromMilliseconds(500),
            Jitter = new Random(options.Random.Next()),
        });
        informer.Failed += (error, delay) => LogInformer(options.Log, kind.Plural, delay.TotalMilliseconds, error.Message);
        return informer;
    }

    private static UpstreamResolver Upstream() =>
        UpstreamResolver.Parse(File.Exists("/etc/resolv.conf") ? File.ReadAllText("/etc/resolv.conf") : "");

    private static async Task FeedNamesAsync(DnsServer dns, Informer services, Informer slices, Signal changes, CancellationToken ct)
    {
        await services.WhenSyncedAsync(ct);
        await slices.WhenSyncedAsync(ct);
        while (true)
        {
            dns.Apply(NameTable.Compile(services.Items, slices.Items));
            await changes.WaitAsync(ct);
        }
    }

    private static async Task FeedEntriesAsync(DnsServer dns, Informer entries, Signal changes, CancellationToken ct)
    {
        await entries.WhenSyncedAsync(ct);
        while (true)
        {
            dns.Apply(EntryNames.Compile(entries.Items));
            await changes.WaitAsync(ct);
        }
    }

    private JsonObject Status(NodeAgent agent, NftCapture capture) => NodeStatus.Describe(agent, capture.Name, options.Nodes, _keep.Programs, options.Home);

    /// <summary>A place of the node itself, in each family that pods have.</summary>
    private IEnumerable<IPEndPoint> Own(string four, string six, int port)
    {
        yield return new IPEndPoint(IPAddress.Parse(four), port);
        if (options.Nodes[0].HasVersion6)
        {
            yield return new IPEndPoint(IPAddress.Parse(six), port);
        }
    }

    /// <summary>Host ports come in here: a header names the address, which is dialled in this namespace.</summary>
    private async Task RelayAsync(CancellationToken ct)
    {
        File.Delete(options.Home.RelaySocket);
        using var relay = RelayListener.Open(
            new UnixDomainSocketEndPoint(options.Home.RelaySocket),
            async (accepted, dialling) =>
            {
                var target = await RelayHeader.ReadAsync(accepted, dialling);
                return await Dialling.ConnectAsync(target, dialling);
            },
            options.Log);
        await relay.RunAsync(ct);
    }

    /// <summary>Pods reach the API server at the address of the Service <c>kubernetes</c>.</summary>
    private Task ApiAddressAsync(CancellationToken ct) =>
        Task.WhenAll(Own(NodeNetwork.ApiAddress, NodeNetwork.ApiAddress6, 443).Select(address => ApiAddressAsync(address, ct)));

    private async Task ApiAddressAsync(IPEndPoint address, CancellationToken ct)
    {
        using var relay = RelayListener.Open(
            address,
            async (_, dialling) => await Dialling.ConnectAsync(new UnixDomainSocketEndPoint(options.Home.ApiTlsSocket), dialling),
            options.Log);
        await relay.RunAsync(ct);
    }

    [LoggerMessage(5010, LogLevel.Information, "The node's network is up: pods {Pods}, services {Services}.")]
    private static partial void LogNetworkUp(ILogger log, string pods, string services);

    [LoggerMessage(5012, LogLevel.Debug, "Following {Plural} failed and is tried again in {Milliseconds} ms: {Reason}")]
    private static partial void LogInformer(ILogger log, string plural, double milliseconds, string reason);

    [LoggerMessage(5013, LogLevel.Information, "Limits of containers by cgroup: {Groups}.")]
    private static partial void LogGroups(ILogger log, string groups);

    [LoggerMessage(5014, LogLevel.Warning, "Containers have no termination message and no token at the usual places: {Reason}")]
    private static partial void LogFolders(ILogger log, string reason);

    [LoggerMessage(5011, LogLevel.Information, "The node has stopped.")]
    private static partial void LogStopped(ILogger log);
}
