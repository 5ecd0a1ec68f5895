import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.hdfs.MiniDFSCluster;

/** A NameNode and a DataNode on this machine, until its standard input ends. Prints READY and its address. */
public class Cluster {
    public static void main(String[] arguments) throws Exception {
        Configuration configuration = new Configuration();
        configuration.set("dfs.replication", "1");
        File folder = new File(arguments[0]);
        try (MiniDFSCluster cluster = new MiniDFSCluster.Builder(configuration, folder).numDataNodes(1).build()) {
            cluster.waitActive();
            System.out.println("READY " + cluster.getURI());
            System.in.read();
        }
    }
}
