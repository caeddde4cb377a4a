// SPDX-License-Identifier: Apache-2.0

namespace Weft.Scenarios;

/// <summary>YAML that the scenarios apply; the shapes are those of the field's tutorials, the words are ours.</summary>
internal static class Manifests
{
    public static string Namespace(string name, bool injected = true) => $"""
        apiVersion: v1
        kind: Namespace
        metadata:
          name: {name}
          labels:
            istio-injection: {(injected ? "enabled" : "disabled")}

        """;

    /// <summary>A deployment of the sample server on port 3000 that answers with its version.</summary>
    public static string App(string ns, string name, string version, int replicas = 1, string extraArguments = "") => $"""
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: {name}-{version}
          namespace: {ns}
        spec:
          replicas: {replicas}
          selector:
            matchLabels: {"{"}app: {name}, version: {version}{"}"}
          template:
            metadata:
              labels: {"{"}app: {name}, version: {version}{"}"}
            spec:
              containers:
              - name: app
                image: sample
                command: [weft-sample, --port, "3000", --name, {name}, --version, {version}{extraArguments}]
                ports:
                - containerPort: 3000
                readinessProbe:
                  httpGet: {"{"}path: /healthz, port: 3000{"}"}
                  periodSeconds: 1

        """;

    /// <summary>A service on port 80 that leads to port 3000.</summary>
    public static string Service(string ns, string name) => $"""
        ---
        apiVersion: v1
        kind: Service
        metadata:
          name: {name}
          namespace: {ns}
        spec:
          selector:
            app: {name}
          ports:
          - name: http
            port: 80
            targetPort: 3000

        """;

    /// <summary>A pod to call from: it only sleeps.</summary>
    public static string Client(string ns, string name, bool injected = true) => $"""
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: {name}
          namespace: {ns}
        spec:
          selector:
            matchLabels: {"{"}app: {name}{"}"}
          template:
            metadata:
              labels: {"{"}app: {name}, sidecar.istio.io/inject: "{(injected ? "true" : "false")}"{"}"}
            spec:
              containers:
              - name: app
                image: shell
                command: [sleep, infinity]

        """;

    public static string Subsets(string ns, string name) => $"""
        ---
        apiVersion: networking.istio.io/v1beta1
        kind: DestinationRule
        metadata:
          name: {name}
          namespace: {ns}
        spec:
          host: {name}
          subsets:
          - name: v1
            labels: {"{"}version: v1{"}"}
          - name: v2
            labels: {"{"}version: v2{"}"}

        """;

    public static string Split(string ns, string name, int v1, int v2) => $"""
        ---
        apiVersion: networking.istio.io/v1beta1
        kind: VirtualService
        metadata:
          name: {name}
          namespace: {ns}
        spec:
          hosts: [{name}]
          http:
          - route:
            - destination: {"{"}host: {name}, subset: v1{"}"}
              weight: {v1}
            - destination: {"{"}host: {name}, subset: v2{"}"}
              weight: {v2}

        """;

    public static string PeerMode(string ns, string mode) => $"""
        ---
        apiVersion: security.istio.io/v1
        kind: PeerAuthentication
        metadata:
          name: default
          namespace: {ns}
        spec:
          mtls:
            mode: {mode}

        """;
}
