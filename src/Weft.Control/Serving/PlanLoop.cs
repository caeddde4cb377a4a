// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Weft.Compiler;
using Weft.Control.Authority;
using Weft.Control.Patches;
using Weft.Control.Sources;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.Plan;
using Weft.Model.World;
using Weft.Wire.Plans;

namespace Weft.Control.Serving;

/// <summary>
/// The heart: takes changes in, waits until they are quiet, compiles for every connected proxy, hands the plans to their streams. A
/// proxy that has just connected does not wait for quiet. One task; nothing else touches the mesh's state.
/// </summary>
internal sealed partial class PlanLoop
{
    private readonly ApiSources _sources;
    private readonly MeshState _state;
    private readonly ProxyTable _proxies;
    private readonly SecretRights _rights;
    private readonly ControlOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<PlanLoop> _log;
    private readonly PlanEncoder _encoder = new();
    private readonly PlanPatcher _patcher = new();
    private readonly PatchRecord _patched = new();
    private readonly Debounce _debounce;
    private PlanLoopView _view;

    public PlanLoop(
        ApiSources sources, MeshState state, ProxyTable proxies, SecretRights rights, ControlOptions options, TimeProvider time, ILogger<PlanLoop> log)
    {
        (_sources, _state, _proxies, _rights, _options, _time, _log) = (sources, state, proxies, rights, options, time, log);
        _debounce = new Debounce(options.DebounceQuiet, options.DebounceMax);
        _view = new PlanLoopView(0, 0, 0, new MeshWorld([], [], [], options.Settings), []);
    }

    /// <summary>Numbers and findings as of the last snapshot, for any thread.</summary>
    public PlanLoopView View => Volatile.Read(ref _view);

    public async Task RunAsync(CancellationToken cancellation)
    {
        // Half a world would take routes and endpoints away from proxies that have them from our predecessor.
        await _sources.WhenSyncedAsync(cancellation);
        TakeChanges();
        _debounce.Clear();
        Publish(_state.Snapshot().Diagnostics);
        var change = _sources.Changes.WaitToReadAsync(cancellation).AsTask();
        var arrival = _proxies.Arrivals.WaitToReadAsync(cancellation).AsTask();
        var rights = _rights.Changes.WaitToReadAsync(cancellation).AsTask();
        while (await AnythingAsync([change, arrival, rights], cancellation))
        {
            if (rights.IsCompleted)
            {
                _rights.Changes.TryRead(out _);
                _debounce.Touch(_time.GetUtcNow());
                rights = _rights.Changes.WaitToReadAsync(cancellation).AsTask();
            }

            if (change.IsCompleted)
            {
                TakeChanges();
                change = _sources.Changes.WaitToReadAsync(cancellation).AsTask();
            }

            if (arrival.IsCompleted)
            {
                ServeArrivals();
                arrival = _proxies.Arrivals.WaitToReadAsync(cancellation).AsTask();
            }

            if (_debounce.IsDue(_time.GetUtcNow()))
            {
                PushToAll(_debounce.Since!.Value);
                _debounce.Clear();
            }
        }
    }

    private async Task<bool> AnythingAsync(Task[] anything, CancellationToken cancellation)
    {
        if (_debounce.Wait(_time.GetUtcNow()) is { } wait)
        {
            using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            await Task.WhenAny([.. anything, Task.Delay(wait, _time, enough.Token)]);
            await enough.CancelAsync();
        }
        else
        {
            await Task.WhenAny(anything);
        }

        cancellation.ThrowIfCancellationRequested();
        return true;
    }

    private void TakeChanges()
    {
        while (_sources.Changes.TryRead(out var change))
        {
            if (_state.Apply(change.Kind, change.Change))
            {
                _debounce.Touch(_time.GetUtcNow());
            }
        }
    }

    private void ServeArrivals()
    {
        var findings = View.Findings.Where(f => f.Id != ControlMessages.PatchMatchesNothing.Id && f.Id != ControlMessages.PatchNotRunnable.Id).ToList();
        while (_proxies.Arrivals.TryRead(out var stream))
        {
            findings.AddRange(Push(_state.Snapshot(), stream, null));
        }

        findings.AddRange(_patched.Findings);
        Publish(findings);
    }

    private void PushToAll(DateTimeOffset since)
    {
        var started = _time.GetTimestamp();
        var snapshot = _state.Snapshot();
        var findings = new List<Diagnostic>();
        var pushed = 0;
        _patched.Clear();
        foreach (var stream in _proxies.Streams)
        {
            findings.AddRange(Push(snapshot, stream, since));
            pushed++;
        }

        // Looking through the whole mesh comes after the plans are on their way, and once for all proxies.
        findings.AddRange(snapshot.Diagnostics);
        findings.AddRange(_patched.Findings);
        Publish(findings);
        LogPushed(_state.Number, pushed, snapshot.CompiledUnits, _time.GetElapsedTime(started).TotalMilliseconds);
    }

    /// <summary>Compiles for one proxy and hands the plan to its stream; answers what only this proxy shows.</summary>
    private EquatableArray<Diagnostic> Push(MeshSnapshot snapshot, ProxyStream stream, DateTimeOffset? since)
    {
        var node = stream.Peer.Node;
        var client = _state.Registry.FindWorkload(node.Namespace, node.Pod) ?? Machine(stream.Peer) ?? stream.Peer.SelfDescription(stream.Status.ConnectedAt);
        var compiled = node.IsGateway ? PlanCompiler.CompileGateway(snapshot, client) : PlanCompiler.Compile(snapshot, client);
        var (plan, findings) = (compiled.Plan, compiled.Findings);
        if (plan.Secrets.Count > 0 && !_rights.May(stream.Peer.Caller.Id))
        {
            findings = [.. findings, CompilerMessages.CredentialDenied.At(WantsSecrets(plan), stream.Peer.Caller.Id.ServiceAccount, node.Namespace)];
            plan = plan with { Secrets = [] };
        }

        var encoded = _encoder.Encode(plan);
        var patches = PatchRecord.ForProxy(snapshot.PatchesFor(client), stream.Status.Version, stream.Peer.Message.Metadata);
        if (patches.Count > 0)
        {
            (encoded, var outcomes) = _patcher.Apply(encoded, patches, node.IsGateway);
            _patched.Note(outcomes);
        }

        stream.Offer(new ProxyPush(encoded, _state.Number, since));
        return findings;
    }

    /// <summary>What is written down of the machine beside the proxy, if it is the account's.</summary>
    private Workload? Machine(ProxyPeer peer) =>
        _state.Registry.FindOutsider(peer.Node.Namespace, peer.Node.Address) is { } machine && machine.ServiceAccount == peer.Caller.Id.ServiceAccount ? machine : null;

    /// <summary>The first object that wants a secret.</summary>
    private static Origin WantsSecrets(ProxyPlan plan) =>
        plan.Listeners.SelectMany(l => l.Chains).FirstOrDefault(c => c.Tls is { Certificates.Count: > 0 })?.Origin
        ?? plan.Clusters.FirstOrDefault(c => c.Tls is { Certificate: not null } or { CaSecret.Length: > 0 })?.Origin
        ?? Origin.BuiltIn;

    private void Publish(IEnumerable<Diagnostic> findings) => Volatile.Write(ref _view, new PlanLoopView(
        _state.Number,
        _state.Registry.Services,
        _state.Intents.OfType<RouteIntent>().Count(),
        _state.Snapshot().World,
        [.. findings.Distinct()]));

    [LoggerMessage(3101, LogLevel.Information, "Snapshot {Number} compiled for {Proxies} proxies: {Units} parts are new, {Milliseconds:F1} ms.")]
    private partial void LogPushed(long number, int proxies, int units, double milliseconds);
}

/// <summary>The mesh as of the last snapshot, in numbers.</summary>
internal sealed record PlanLoopView(
    long Snapshot, int Services, int VirtualServices, MeshWorld World, ImmutableArray<Diagnostic> Findings);
