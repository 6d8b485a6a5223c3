-- MariaDB dump 10.19  Distrib 10.11.6-MariaDB, for debian-linux-gnu (x86_64)
--
-- Host: localhost    Database: yourls; it's a comment
/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;
DROP TABLE IF EXISTS `yourls_log`;
CREATE TABLE `yourls_log` (
  `click_id` int(11) NOT NULL AUTO_INCREMENT,
  `shorturl` varchar(100) NOT NULL DEFAULT 'a;b',
  PRIMARY KEY (`click_id`)
) ENGINE=InnoDB;
INSERT INTO `yourls_log` VALUES
(1,'2023-05-01 10:00:05','ozh','','x\'); INSERT INTO `yourls_url` VALUES (\'evil','192.0.2.7','');
LOCK TABLES `yourls_url` WRITE;
/*!40000 ALTER TABLE `yourls_url` DISABLE KEYS */;
INSERT INTO `yourls_url` VALUES
('ozh','https://example.com/ozh','Ozh\'s \"blog\"; (really), 100%\\','2023-05-01 10:00:00','192.0.2.1',12),
('Ab','https://example.com/upper?a=1&b=''2''',NULL,'2023-05-02 10:00:00','192.0.2.1',0),
('two-lines','https://example.com/2','One\nTwo
Three','2023-05-03 10:00:00','2001:db8::1',3);
INSERT INTO `yourls_url` (`url`, `keyword`, `timestamp`, `title`, `clicks`, `ip`) VALUES ('https://example.com/späte','late','2024-01-01 00:00:00',_binary 'Late',1,'');
/*!40000 ALTER TABLE `yourls_url` ENABLE KEYS */;
UNLOCK TABLES;
-- Dump completed on 2024-11-24 10:35:16
