// SPDX-License-Identifier: Apache-2.0

namespace Weft.Scenarios;

/// <summary>Manifests of the field's samples run without their images.</summary>
[Collection(RunningMesh.Name)]
public sealed class ImageTests(TestMesh mesh)
{
    [Fact]
    public async Task Well_known_images_answer_as_their_users_expect()
    {
        const string Ns = "images";
        var yaml = Manifests.Namespace(Ns) + Manifests.Client(Ns, "client")
            + App("productpage", "docker.io/istio/examples-bookinfo-productpage-v1:1.20.1", 9080) + App("details", "docker.io/istio/examples-bookinfo-details-v1:1.20.1", 9080)
            + App("reviews", "docker.io/istio/examples-bookinfo-reviews-v3:1.20.1", 9080) + App("ratings", "docker.io/istio/examples-bookinfo-ratings-v1:1.20.1", 9080)
            + App("nginx", "nginx:1.25", 80) + App("httpbin", "docker.io/kennethreitz/httpbin", 80) + App("helloworld", "docker.io/istio/examples-helloworld-v2", 5000);
        (await mesh.ApplyAsync(yaml)).Succeeded();
        (await mesh.KubectlAsync("create", "deployment", "stranger", "--image=registry.example/stranger:1", "-n", Ns)).Succeeded();
        await Wait.UntilAsync("the unknown image is named with the cure", async () =>
        {
            var pods = await mesh.KubectlAsync("describe", "pods", "-n", Ns, "-l", "app=stranger");
            return (pods.Output.Contains("No command of this machine is known for image 'registry.example/stranger:1'", StringComparison.Ordinal), pods.ToString());
        });
        (await mesh.KubectlAsync("delete", "deployment", "stranger", "-n", Ns)).Succeeded();
        await mesh.WaitForDeploymentsAsync(Ns);
        await SaysAsync("http://productpage:9080/productpage", "<title>Simple Bookstore App</title>", "color=\"red\"", "PublisherA");
        await SaysAsync("http://nginx/", "Welcome to nginx!");
        await SaysAsync("http://httpbin/headers", "\"X-Forwarded-Client-Cert\"");
        await SaysAsync("http://helloworld:5000/hello", "Hello version: v2, instance: helloworld-");

        async Task SaysAsync(string url, params string[] words) => await Wait.UntilAsync($"{url} answers", async () =>
        {
            var answer = await mesh.ExecAsync(Ns, "client", "curl", "-s", url);
            return (Array.TrueForAll(words, word => answer.Output.Contains(word, StringComparison.OrdinalIgnoreCase)), answer.ToString());
        });
    }

    private static string App(string name, string image, int port) => $"""
        ---
        apiVersion: v1
        kind: Service
        metadata:
          name: {name}
          namespace: images
        spec:
          selector: {"{"}app: {name}{"}"}
          ports:
          - name: http
            port: {port}
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: {name}
          namespace: images
        spec:
          selector:
            matchLabels: {"{"}app: {name}{"}"}
          template:
            metadata:
              labels: {"{"}app: {name}{"}"}
            spec:
              containers:
              - name: {name}
                image: {image}
                ports:
                - containerPort: {port}
                readinessProbe:
                  tcpSocket: {"{"}port: {port}{"}"}
                  periodSeconds: 1

        """;
}
