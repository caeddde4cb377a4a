// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Weft.Kubernetes;
using Weft.Model.Identity;

namespace Weft.Control.Authority;

/// <summary>
/// Whether a service account may list the Secrets of its own namespace, as the API says (SubjectAccessReview): only then does its proxy
/// get credentials. Who is not known may not. Asked again every so often, since roles change.
/// </summary>
internal sealed partial class SecretRights(KubernetesClient client, TimeProvider time, ILogger<SecretRights> log)
{
    /// <summary>Accounts that are remembered; above this all are forgotten and asked about anew.</summary>
    public const int MaxRemembered = 10_000;

    /// <summary>How long an answer is believed.</summary>
    public static readonly TimeSpan Age = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<(string Namespace, string Account), bool> _known = new();
    private readonly Channel<bool> _changes = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Channel<bool> _unknown = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly ConcurrentDictionary<(string Namespace, string Account), bool> _wanted = new();

    /// <summary>Something to read whenever an answer differs from the one before.</summary>
    public ChannelReader<bool> Changes => _changes.Reader;

    /// <summary>The last answer; for an account that is not known no, and it is asked about.</summary>
    public bool May(SpiffeId account)
    {
        var key = (account.Namespace, account.ServiceAccount);
        if (_known.TryGetValue(key, out var may))
        {
            return may;
        }

        _wanted[key] = true;
        _unknown.Writer.TryWrite(true);
        return false;
    }

    /// <summary>Done when the account is known, so that its proxy's first plan is whole.</summary>
    public async Task LearnAsync(SpiffeId account, CancellationToken cancellation)
    {
        var key = (account.Namespace, account.ServiceAccount);
        if (!_known.ContainsKey(key))
        {
            await AskAsync(key, cancellation);
        }
    }

    public async Task RunAsync(CancellationToken cancellation)
    {
        while (true)
        {
            using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            await Task.WhenAny(_unknown.Reader.WaitToReadAsync(enough.Token).AsTask(), Task.Delay(Age, time, enough.Token));
            await enough.CancelAsync();
            cancellation.ThrowIfCancellationRequested();
            while (_unknown.Reader.TryRead(out _))
            {
                // Taken together: the accounts themselves are in the table.
            }

            foreach (var key in _known.Keys.Union(_wanted.Keys).ToArray())
            {
                await AskAsync(key, cancellation);
            }
        }
    }

    private async Task AskAsync((string Namespace, string Account) key, CancellationToken cancellation)
    {
        try
        {
            var review = await client.CreateAsync(Kinds.SubjectAccessReview, null, Question(key), cancellation);
            var may = review.Flag("status", "allowed") == true;
            _wanted.TryRemove(key, out _);
            if (_known.Count >= MaxRemembered && !_known.ContainsKey(key))
            {
                _known.Clear();
            }

            var known = _known.TryGetValue(key, out var before);
            _known[key] = may;
            if (!known || before != may)
            {
                _changes.Writer.TryWrite(true);
            }
        }
        catch (Exception error) when (error is KubernetesException or HttpRequestException or IOException)
        {
            // The last answer stays; who has none has no right.
            LogNotAsked(key.Namespace, key.Account, error.Message);
        }
    }

    private static JsonObject Question((string Namespace, string Account) key) => new()
    {
        ["apiVersion"] = Kinds.SubjectAccessReview.ApiVersion,
        ["kind"] = Kinds.SubjectAccessReview.Kind,
        ["spec"] = new JsonObject
        {
            ["user"] = $"system:serviceaccount:{key.Namespace}:{key.Account}",
            ["groups"] = new JsonArray("system:serviceaccounts", $"system:serviceaccounts:{key.Namespace}", "system:authenticated"),
            ["resourceAttributes"] = new JsonObject { ["namespace"] = key.Namespace, ["verb"] = "list", ["resource"] = "secrets" },
        },
    };

    [LoggerMessage(3301, LogLevel.Warning, "The API does not say whether service account '{Account}' of '{Namespace}' may read Secrets: {Reason}")]
    private partial void LogNotAsked(string @namespace, string account, string reason);
}
