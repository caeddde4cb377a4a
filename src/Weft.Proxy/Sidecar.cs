// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Text;
using Weft.Model.Plan;
using Weft.Proxy.Admin;
using Weft.Proxy.Control;
using Weft.Proxy.Io;
using Weft.Proxy.Life;
using Weft.Proxy.Names;
using Weft.Proxy.Overload;
using Weft.Proxy.Telemetry;
using Weft.Wire.Dump;
using Weft.Wire.Plans;

namespace Weft.Proxy;

/// <summary>The program in its role beside one workload: data plane, control connection, admin ports, and the way down.</summary>
internal sealed partial class Sidecar : IControlSink, IProxyView, IDisposable
{
    /// <summary>After this long a start from disk is behind us, and later also one that had to ask the control plane.</summary>
    private const int SettledMs = 1000;
    private const int AskedMs = 5000;

    private readonly Bootstrap _bootstrap;
    private readonly TextWriter _log;
    private readonly TimeProvider _clock;
    private readonly AccessLog? _accessLog;
    private readonly ProxyRuntime _runtime;
    private readonly AdminServer _admin;
    private readonly ControlThread _control;
    private readonly ProcessReadings _readings;
    private readonly OverloadGuard _overload;
    private readonly ShutDown _shutDown;
    private readonly TimeSpan _drainTime;
    private readonly ManualResetEventSlim _end = new();
    private ITimer? _closing;
    private WorkloadIdentity? _identity;
    private long _appliedTicks;

    internal Sidecar(Bootstrap bootstrap, TimeProvider clock, Random random, TextWriter log, ShutDownSettings? shutDown = null)
    {
        shutDown ??= ShutDownSettings.Read(bootstrap, _ => null);
        _bootstrap = bootstrap;
        _log = log;
        _clock = clock;
        StartedAt = clock.GetUtcNow();
        _accessLog = AccessLog.Open(bootstrap.AccessLog, json: false, bootstrap.Loops);
        var limits = OverloadSettings.Read(bootstrap.Overload.MemoryBytes, bootstrap.Overload.Descriptors, bootstrap.Overload.LoopDelayMs);
        _runtime = new ProxyRuntime(new ProxyOptions
        {
            Loops = bootstrap.Loops,
            Io = bootstrap.Io switch { "epoll" => IoChoice.Epoll, "uring" => IoChoice.Uring, _ => IoChoice.Auto },
            Mark = bootstrap.MarkSockets ? SocketSettings.MeshMark : 0,
            Clock = clock,
            Seed = random.Next(),
            Workload = NamesOf(bootstrap.Node.Metadata),
            Log = _accessLog,
            Names = NameSettings.Default with { ForProxies = bootstrap.NameServer.Length > 0 ? IPEndPoint.Parse(bootstrap.NameServer) : null },
            Tell = words => log.WriteLine($"weft-proxy: {words}"),
            ListenerDrainMs = bootstrap.ListenerDrainSeconds * 1000,
            Clients = ClientLimit.Of(limits),
            Faulted = fault => log.WriteLine($"weft-proxy: a connection was closed because of a defect: {fault}"),
        });
        _readings = new ProcessReadings(_runtime);
        _overload = new OverloadGuard(
            limits,
            _readings,
            _runtime.Give,
            words => log.WriteLine($"weft-proxy: {words}"));
        _shutDown = new ShutDown(_runtime, shutDown, clock);
        _drainTime = shutDown.Drain;
        _admin = new AdminServer(log);
        _control = new ControlThread(bootstrap, this, clock, random, log);
    }

    public string? NotReady =>
        _end.IsSet || IsDraining ? "draining"
        // Not a plan's listeners: a gateway that nothing has been asked of listens nowhere, and is ready to.
        : Volatile.Read(ref _appliedTicks) == 0 ? "no plan yet"
        : _bootstrap.Control is not null && _identity is null ? "no certificate yet" : null;

    public bool IsDraining => _runtime.Draining != DrainScope.None;

    public ProxyPlan Plan => _runtime.Plan;

    public WorkloadIdentity? Identity => Volatile.Read(ref _identity);

    public DateTimeOffset StartedAt { get; }

    /// <summary>Serves until <see cref="Quit"/>; returns the process's exit code.</summary>
    internal int Run()
    {
        if (_runtime.IoFallback is { } reason)
        {
            _log.WriteLine($"weft-proxy: using {_runtime.IoName}: {reason}");
        }

        _runtime.Start();
        _accessLog?.Start();
        if (!Begin())
        {
            return 1;
        }

        ListenAdmin();
        OpenDoor();
        _overload.Start(_runtime.TellOfWork);
        foreach (var quiet in (ReadOnlySpan<int>)[SettledMs, AskedMs])
        {
            if (!_end.Wait(quiet))
            {
                StartPages.Release();
            }
        }

        _end.Wait();

        if (_relieved)
        {
            _shutDown.RunBehindSuccessor(TimeSpan.FromSeconds(_bootstrap.ListenerDrainSeconds));
            return 0;
        }

        // The control plane is heard to the end: endpoints that go at the same time must not be called.
        _shutDown.Run();
        _control.Dispose();
        return 0;
    }

    public string? Apply(ProxyPlan plan)
    {
        var problem = _runtime.Apply(plan);
        if (problem is null)
        {
            Volatile.Write(ref _appliedTicks, _clock.GetUtcNow().Ticks);
            SayIfReady();
        }

        return problem;
    }

    public string? ApplyIdentity(WorkloadIdentity identity)
    {
        var problem = _runtime.ApplyIdentity(identity.ChainPem, identity.KeyPem, identity.RootsPem);
        if (problem is null)
        {
            Volatile.Write(ref _identity, identity);
            SayIfReady();
        }

        return problem;
    }

    public string Metrics()
    {
        var text = new MetricsText();
        text.AddLoops([.. _runtime.Metrics]);
        ClusterMetrics.Add(text, _runtime.Clusters);
        Http2Metrics.Add(text, _runtime.Http2Pools);
        text.Add("weft_access_log_dropped_total", "counter", "", _accessLog?.Dropped ?? 0);
        text.Add("weft_proxy_connections", "gauge", "", _runtime.OpenConnections);
        text.AddFamily("weft_authorization_total", "counter", _runtime.Access.All.Select(counter => (counter.Labels, (double)counter.Count)));
        text.AddOverload(_overload, _runtime.Life);
        text.Add("weft_proxy_accept_failures_total", "counter", "", _runtime.Life.Sum(loop => loop.AcceptFailures));
        ProcessMetrics.Add(text, ProxyVersion.Text);
        return text.ToString();
    }

    public byte[] ConfigDump()
    {
        var plan = Plan;
        var node = _bootstrap.Node;
        var versions = new PlanEncoder().Encode(plan).All.ToDictionary(resource => (resource.TypeUrl, resource.Name), resource => resource.Version);
        return Wire.Dump.ConfigDump.Write(plan, new DumpFacts(
            node.Id,
            node.Cluster,
            NodeClaims.Of(node.Metadata),
            ProxyVersion.Text,
            Identity?.ChainPem,
            Identity?.RootsPem,
            new DateTimeOffset(Volatile.Read(ref _appliedTicks), TimeSpan.Zero),
            (type, name) => versions.GetValueOrDefault((type, name))));
    }

    public string Clusters()
    {
        var text = new StringBuilder();
        _runtime.DescribeClusters(text);
        return text.ToString();
    }

    public void DrainListeners(DrainScope scope, bool graceful)
    {
        _runtime.Drain(scope);
        if (graceful)
        {
            _closing ??= _clock.CreateTimer(_ => _runtime.CloseListeners(scope), null, _drainTime, Timeout.InfiniteTimeSpan);
        }
        else
        {
            _runtime.CloseListeners(scope);
        }
    }

    public void SetHealth(bool good) => _runtime.Drain(good ? DrainScope.None : DrainScope.Inbound);

    public void Quit()
    {
        if (_end.IsSet)
        {
            _shutDown.Hurry();
        }

        _end.Set();
    }

    public void Dispose()
    {
        _overload.Dispose();
        _closing?.Dispose();
        _door?.Dispose();
        _place?.Dispose();
        _admin.Dispose();
        _runtime.Dispose();
        _readings.Dispose();
        _shutDown.Dispose();
        _ready.Dispose();
        _accessLog?.Dispose();
        _end.Dispose();
    }

    private void ListenAdmin()
    {
        var pages = new AdminPages(this, _bootstrap, _clock);
        Listen(IPAddress.Loopback, _bootstrap.Ports.Admin, pages.Admin());
        Listen(IPAddress.Any, _bootstrap.Ports.Metrics, pages.Prometheus());
        Listen(IPAddress.Any, _bootstrap.Ports.Prometheus, pages.Prometheus());
        Listen(IPAddress.Any, _bootstrap.Ports.Status, pages.Status());
    }

    private void Listen(IPAddress address, int port, AdminRoutes routes)
    {
        if (port != 0)
        {
            _admin.Listen(address, port, routes);
        }
    }

    private static WorkloadNamePlan NamesOf(NodeMetadata node) => new(
        node.Workload,
        node.Namespace,
        node.CanonicalName,
        node.CanonicalRevision,
        node.ClusterId,
        node.ServiceAccount,
        node.App,
        node.Version);
}
