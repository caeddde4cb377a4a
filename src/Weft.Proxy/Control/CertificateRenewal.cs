// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;
using Google.Protobuf;
using Istio.V1.Auth;
using Weft.Model.Identity;

namespace Weft.Proxy.Control;

/// <summary>
/// Gets the workload's certificate and a new one at about half of its life, over the control stream's connection. A refusal is retried
/// with growing pauses; the old certificate stays in use meanwhile.
/// </summary>
internal sealed class CertificateRenewal
{
    private const int MaxAnswerBytes = 1024 * 1024;
    private const string Path = "/istio.v1.auth.IstioCertificateService/CreateCertificate";

    private static readonly TimeSpan _firstRetry = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan _longestRetry = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan _answerWithin = TimeSpan.FromSeconds(10);

    private readonly Bootstrap _bootstrap;
    private readonly IControlSink _sink;
    private readonly TimeProvider _clock;
    private readonly Random _random;
    private readonly TextWriter _log;
    private readonly IdentityStore _store;
    private DateTimeOffset _due;
    private TimeSpan _retry = _firstRetry;
    private GrpcCall? _call;
    private DateTimeOffset _askedAt;
    private SigningRequest? _asked;
    private WorkloadIdentity? _received;

    public CertificateRenewal(Bootstrap bootstrap, IControlSink sink, TimeProvider clock, Random random, TextWriter log)
    {
        _bootstrap = bootstrap;
        _sink = sink;
        _clock = clock;
        _random = random;
        _log = log;
        _store = new IdentityStore(bootstrap.Identity.StateDirectory);
        _due = clock.GetUtcNow();
    }

    /// <summary>Uses the stored identity if it is still valid.</summary>
    public void Load()
    {
        if (_store.Load(_clock.GetUtcNow(), _log) is { } stored && _sink.ApplyIdentity(stored) is null)
        {
            _due = stored.RenewAt(stored.NotBefore, _random);
        }
    }

    public TimeSpan UntilDue(DateTimeOffset now, TimeSpan atMost)
    {
        var until = (_call is not null ? _askedAt + _answerWithin : _due) - now;
        return until < TimeSpan.Zero ? TimeSpan.Zero : until < atMost ? until : atMost;
    }

    /// <summary>Asks for a certificate if it is time.</summary>
    /// <param name="open">Begins a call: its path, the largest answer, what to do with the answer and with the end.</param>
    public void AskIfDue(Func<string, int, Action<ReadOnlyMemory<byte>>, Action<string?>, GrpcCall?> open)
    {
        var now = _clock.GetUtcNow();
        if (_call is not null && now - _askedAt > _answerWithin)
        {
            _call.Cancel();
            Fail($"no answer within {_answerWithin.TotalSeconds:0} s");
        }

        if (_call is not null || now < _due || open(Path, MaxAnswerBytes, Take, End) is not { } call)
        {
            return;
        }

        _call = call;
        var node = _bootstrap.Node.Metadata;
        _asked = SigningRequest.Create(new SpiffeId(_bootstrap.Identity.TrustDomain, node.Namespace, node.ServiceAccount));
        _askedAt = now;
        _received = null;
        var request = new IstioCertificateRequest
        {
            Csr = _asked.RequestPem,
            ValidityDuration = _bootstrap.Identity.CertificateLifetimeSeconds,
        };
        call.Send(request, isLast: true);
    }

    /// <summary>The connection is gone: what was asked on it will not be answered.</summary>
    public void Forget() => _call = null;

    private void Take(ReadOnlyMemory<byte> message)
    {
        try
        {
            _received = WorkloadIdentity.FromAnswer(IstioCertificateResponse.Parser.ParseFrom(message.Span).CertChain, _asked!.KeyPem);
        }
        catch (Exception problem) when (problem is CryptographicException or ArgumentException or InvalidProtocolBufferException)
        {
            _call?.Cancel();
            Fail($"the answer is no certificate for the key: {problem.Message}");
        }
    }

    private void End(string? reason)
    {
        if (_call is null)
        {
            return;
        }

        if (reason is null)
        {
            Finish();
        }
        else
        {
            Fail(reason);
        }
    }

    private void Finish()
    {
        _call = null;
        if (_received is not { } identity)
        {
            Fail("the answer is empty");
            return;
        }

        if (_sink.ApplyIdentity(identity) is { } problem)
        {
            Fail(problem);
            return;
        }

        _store.Save(identity);
        _retry = _firstRetry;
        _due = identity.RenewAt(_clock.GetUtcNow(), _random);
    }

    private void Fail(string reason)
    {
        _call = null;
        _asked = null;
        _due = _clock.GetUtcNow() + (_retry * (0.5 + (_random.NextDouble() / 2)));
        _retry = _retry * 2 < _longestRetry ? _retry * 2 : _longestRetry;
        _log.WriteLine($"weft-proxy: no certificate was issued: {reason}; trying again.");
    }
}
