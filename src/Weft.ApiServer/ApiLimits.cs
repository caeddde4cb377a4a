// SPDX-License-Identifier: Apache-2.0

namespace Weft.ApiServer;

/// <summary>Every bound that the API server puts on its clients and on itself.</summary>
public static class ApiLimits
{
    /// <summary>Bytes of one request body.</summary>
    public const int BodyBytes = 3 * 1024 * 1024;

    /// <summary>Nesting of JSON in a request body.</summary>
    public const int JsonDepth = 128;

    /// <summary>Bytes of a ConfigMap's or Secret's values together.</summary>
    public const int ConfigurationBytes = 1024 * 1024;

    /// <summary>Bytes of all annotations of one object together.</summary>
    public const int AnnotationBytes = 256 * 1024;

    /// <summary>Changes that a watching client may be behind before it is cut off.</summary>
    public const int WatchBuffer = 4096;

    /// <summary>Changes that are kept so that a watch can start in the past.</summary>
    public const int HistoryLength = 8192;

    /// <summary>Bytes of those changes together.</summary>
    public const long HistoryBytes = 256L * 1024 * 1024;

    /// <summary>Encoded events that watches share.</summary>
    public const int SharedEvents = 512;

    /// <summary>Seconds that a watcher has to read what waits for it, after it fell behind.</summary>
    public const int SlowWatcherSeconds = 10;

    /// <summary>Requests that only read, under way at once on one socket; watches, logs and sessions do not count.</summary>
    public const int ReadingRequests = 400;

    /// <summary>Requests that change something, under way at once on one socket.</summary>
    public const int ChangingRequests = 200;

    /// <summary>Seconds that a request may take; watches, logs and sessions take as long as they like.</summary>
    public const int RequestSeconds = 60;

    /// <summary>Connections at once, of both sockets together.</summary>
    public const int Connections = 8192;

    /// <summary>Requests and watches at once on one connection of HTTP/2.</summary>
    public const int StreamsPerConnection = 250;

    /// <summary>Bytes of an answer from which on it is compressed for a client that takes gzip.</summary>
    public const int CompressedBytes = 128 * 1024;

    /// <summary>Operations of one JSON patch.</summary>
    public const int JsonPatchOperations = 10_000;

    /// <summary>Attempts of a patch that meets other writers.</summary>
    public const int PatchAttempts = 5;

    /// <summary>Rounds in which cluster roles collect rules from each other.</summary>
    public const int AggregationRounds = 8;

    /// <summary>Clients other than appliers whose fields of one object are told apart.</summary>
    public const int UpdateManagers = 10;

    /// <summary>Letters of the name under which a client owns fields.</summary>
    public const int ManagerLength = 128;

    /// <summary>Seconds that an event is kept after it was last written.</summary>
    public const int EventSeconds = 3600;

    /// <summary>Steps that all rules of a custom kind together may take for one object.</summary>
    public const int RuleSteps = 1_000_000;

    /// <summary>Rules that are not enforced and are named in one answer.</summary>
    public const int NamedRules = 20;

    /// <summary>Bytes of the head of the node agent's answer to an upgraded request.</summary>
    public const int UpgradeHeadBytes = 16 * 1024;
}
